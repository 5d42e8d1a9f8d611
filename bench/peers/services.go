// The services echo and hello as one would write them in Go, to hold server.ts against.
//
//	services echo
//	services hello DELAY
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"time"
)

const longestLine = 64 * 1024

func main() {
	log.SetFlags(0)
	switch {
	case len(os.Args) == 2 && os.Args[1] == "echo":
		serve(echo)
	case len(os.Args) == 3 && os.Args[1] == "hello":
		delay, err := time.ParseDuration(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		serve(func(conn net.Conn) { hello(conn, delay) })
	default:
		log.Fatal("Expected: echo, or hello DELAY")
	}
}

func serve(handle func(net.Conn)) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"event\":\"listening\",\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer conn.Close()
			handle(conn)
		}()
	}
}

// echo sends lines back as they came, those of one read in one write.
func echo(conn net.Conn) {
	in := bufio.NewReaderSize(conn, longestLine)
	out := bufio.NewWriter(conn)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if _, err := out.Write(line); err != nil {
			return
		}
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

// hello answers the first bytes of each connection, late.
func hello(conn net.Conn, delay time.Duration) {
	if _, err := conn.Read(make([]byte, 4096)); err != nil {
		return
	}
	time.Sleep(delay)
	const body = "Hello World!\n"
	fmt.Fprintf(conn,
		"HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), len(body), body)
}
