// Traffic for the measurements beside this folder, and the backends it goes to. Each command says its figures, or where
// it listens, in one line of JSON.
//
//	traffic sink                               takes a stream to its end, and answers with its length
//	traffic answer                             answers one line on each connection with it, and closes
//	traffic stream ADDRESS BYTES               one stream
//	traffic short ADDRESS COUNT AT-ONCE        connections for one request and its answer each
//	traffic lines ADDRESS COUNT AT-ONCE SECONDS  COUNT connections, each with AT-ONCE lines under way
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Larger than any buffer on the way, so that the traffic itself costs little.
const block = 256 * 1024

const request = "GET / HTTP/1.0\n"

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("Expected a command: sink, answer, stream, short or lines")
	}
	switch os.Args[1] {
	case "sink":
		serve(sink)
	case "answer":
		serve(answer)
	case "stream":
		stream(address(), number(3))
	case "short":
		short(address(), number(3), number(4))
	case "lines":
		lines(address(), number(3), number(4), time.Duration(number(5))*time.Second)
	default:
		log.Fatalf("Unknown command %q: expected sink, answer, stream, short or lines", os.Args[1])
	}
}

func address() string {
	if len(os.Args) < 3 {
		log.Fatal("Expected an address")
	}
	return os.Args[2]
}

func number(at int) int {
	if len(os.Args) <= at {
		log.Fatalf("Expected a number as argument %d", at)
	}
	n, err := strconv.Atoi(os.Args[at])
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func say(figures map[string]any) {
	check(json.NewEncoder(os.Stdout).Encode(figures))
}

func serve(handle func(net.Conn)) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	say(map[string]any{"event": "listening", "port": listener.Addr().(*net.TCPAddr).Port})
	for {
		conn, err := listener.Accept()
		check(err)
		go func() {
			defer conn.Close()
			handle(conn)
		}()
	}
}

func sink(conn net.Conn) {
	buffer := make([]byte, block)
	total := 0
	for {
		n, err := conn.Read(buffer)
		total += n
		if err == io.EOF {
			fmt.Fprintln(conn, total)
			return
		}
		if err != nil {
			return // Whoever sent it sees that its length never came.
		}
	}
}

func answer(conn net.Conn) {
	line, err := bufio.NewReader(conn).ReadBytes('\n')
	if err == nil {
		conn.Write(line)
	}
}

func dial(address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	check(err)
	return conn
}

func stream(address string, bytes int) {
	conn := dial(address)
	buffer := make([]byte, block)
	began := time.Now()
	for left := bytes; left > 0; {
		n, err := conn.Write(buffer[:min(left, block)])
		check(err)
		left -= n
	}
	check(conn.(*net.TCPConn).CloseWrite())
	answer, err := bufio.NewReader(conn).ReadString('\n')
	check(err)
	seconds := time.Since(began).Seconds()
	if answer != fmt.Sprintln(bytes) {
		log.Fatalf("Sent %d bytes, of which there came %s", bytes, answer)
	}
	say(map[string]any{"count": float64(bytes) / (1024 * 1024), "seconds": seconds})
}

func short(address string, count, atOnce int) {
	latencies := make([]time.Duration, count)
	began := time.Now()
	each(count, atOnce, func(i int) {
		since := time.Now()
		conn := dial(address)
		defer conn.Close()
		_, err := io.WriteString(conn, request)
		check(err)
		answer, err := io.ReadAll(conn)
		check(err)
		if len(answer) == 0 {
			log.Fatal("A connection was closed without an answer")
		}
		latencies[i] = time.Since(since)
	})
	tell(latencies, count, time.Since(began))
}

// each runs `run` for 0 to count-1, so many at once.
func each(count, atOnce int, run func(i int)) {
	var next int64 = -1
	var all sync.WaitGroup
	for n := 0; n < atOnce; n++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := int(atomic.AddInt64(&next, 1)); i < count; i = int(atomic.AddInt64(&next, 1)) {
				run(i)
			}
		}()
	}
	all.Wait()
}

func lines(address string, count, atOnce int, duration time.Duration) {
	conns := make([]net.Conn, count)
	for i := range conns {
		conns[i] = dial(address)
	}
	batch := []byte{}
	for i := 0; i < atOnce; i++ {
		batch = append(batch, "message 0123456789\n"...)
	}
	latencies := make([][]time.Duration, count)
	began := time.Now()
	each(count, count, func(i int) {
		buffer := make([]byte, len(batch))
		for since := time.Now(); since.Sub(began) < duration; since = time.Now() {
			_, err := conns[i].Write(batch)
			check(err)
			_, err = io.ReadFull(conns[i], buffer)
			check(err)
			latencies[i] = append(latencies[i], time.Since(since))
		}
	})
	took := time.Since(began)
	every := []time.Duration{}
	for _, some := range latencies {
		every = append(every, some...)
	}
	tell(every, len(every)*atOnce, took)
}

func tell(latencies []time.Duration, count int, took time.Duration) {
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	at := func(share float64) float64 {
		return float64(latencies[int(share*float64(len(latencies)-1))].Microseconds())
	}
	say(map[string]any{"count": count, "seconds": took.Seconds(), "p50": at(0.5), "p99": at(0.99)})
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
