// Traffic for the measurements beside this folder, and the backends it goes to. Each command says its figures, or where
// it listens, in one line of JSON.
//
//	traffic sink                               takes a stream to its end, and answers with its length
//	traffic answer                             answers one line on each connection with it, and closes
//	traffic stream ADDRESS BYTES               one stream
//	traffic short ADDRESS COUNT AT-ONCE        connections for one request and its answer each
//	traffic lines ADDRESS COUNT AT-ONCE SECONDS  COUNT connections, each with AT-ONCE lines in flight
//	traffic polite ADDRESS COUNT SECONDS       COUNT connections that ask, wait for the answer and pause
//	traffic quick ADDRESS COUNT RATE           COUNT connections that send RATE KiB a second each and read what comes back
//	traffic slow ADDRESS COUNT RATE            the same, but none reads; one that is cut off comes again
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Larger than any buffer on the way, so that the traffic itself costs little.
const block = 256 * 1024

const request = "GET / HTTP/1.0\n"

const (
	question = "how are you\n"
	pause    = 500 * time.Millisecond
	// Till all are connected and the server has compiled what it runs often.
	warmUp = 3 * time.Second
	// Chunks of a peer that sends without a pause.
	perSecond = 10
	segment   = 1448
)

const commands = "sink, answer, stream, short, lines, polite, quick or slow"

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatalf("Expected a command: %s", commands)
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
	case "polite":
		polite(address(), number(3), time.Duration(number(4))*time.Second)
	case "quick":
		pourAll(address(), number(3), number(4), true)
	case "slow":
		pourAll(address(), number(3), number(4), false)
	default:
		log.Fatalf("Unknown command %q: expected %s", os.Args[1], commands)
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
	report(latencies, count, time.Since(began))
}

// each runs `run` for 0 to count-1, atOnce calls in parallel.
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
	every := joined(latencies)
	report(every, len(every)*atOnce, took)
}

func joined(latencies [][]time.Duration) []time.Duration {
	every := []time.Duration{}
	for _, some := range latencies {
		every = append(every, some...)
	}
	return every
}

// distant connects as a peer beyond an Ethernet does. The segments of the loopback device are 45 times as large, and the
// system takes 2.5 MiB and more of them for a peer that reads nothing.
func distant(address string) net.Conn {
	dialer := net.Dialer{Control: func(_, _ string, conn syscall.RawConn) error {
		return conn.Control(func(socket uintptr) {
			check(syscall.SetsockoptInt(int(socket), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, segment))
		})
	}}
	conn, err := dialer.Dial("tcp", address)
	check(err)
	return conn
}

func polite(address string, count int, duration time.Duration) {
	conns := make([]net.Conn, count)
	for i := range conns {
		conns[i] = distant(address)
	}
	latencies := make([][]time.Duration, count)
	began := time.Now().Add(warmUp)
	each(count, count, func(i int) {
		answer := make([]byte, len(question))
		time.Sleep(time.Duration(rand.Int63n(int64(pause))))
		for time.Since(began) < duration {
			since := time.Now()
			_, err := io.WriteString(conns[i], question)
			check(err)
			_, err = io.ReadFull(conns[i], answer)
			check(err)
			if since.After(began) {
				latencies[i] = append(latencies[i], time.Since(since))
			}
			time.Sleep(pause)
		}
	})
	every := joined(latencies)
	report(every, len(every), time.Since(began))
}

func pourAll(address string, count, rate int, reads bool) {
	each(count, count, func(int) { pour(address, rate, reads) })
}

// pour sends on and on, over a connection after the other, and reads what comes back or does not.
func pour(address string, rate int, reads bool) {
	chunk := []byte(strings.Repeat(strings.Repeat("x", 1023)+"\n", rate/perSecond))
	for {
		conn := distant(address)
		if reads {
			go io.Copy(io.Discard, conn)
		}
		var err error
		for err == nil {
			// Not all in step: that would be a burst, and no stream of requests.
			time.Sleep(time.Duration(500+rand.Intn(1000)) * time.Millisecond / perSecond)
			check(conn.SetWriteDeadline(time.Now().Add(time.Second)))
			_, err = conn.Write(chunk)
		}
		conn.Close()
	}
}

func report(latencies []time.Duration, count int, took time.Duration) {
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
