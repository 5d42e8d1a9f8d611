// Peers of a server that echoes lines, to measure what those that never read cost the others.
//
//	readers polite ADDRESS COUNT SECONDS  COUNT connections that ask, wait for the answer and pause; says their figures
//	readers quick ADDRESS COUNT RATE      COUNT connections that send RATE KiB a second each and read what comes back
//	readers slow ADDRESS COUNT RATE       the same, but none reads; one that is cut off comes again
package main

import (
	"encoding/json"
	"io"
	"log"
	"math/rand"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	question = "how are you\n"
	pause    = 500 * time.Millisecond
	// Till all are connected and the server has compiled what it runs often.
	warmUp = 3 * time.Second
	// Chunks of who sends on and on, on average.
	perSecond = 10
	segment   = 1448
)

// How a peer beyond an Ethernet connects. The segments of the loopback device are 45 times as large, and the system
// takes so many of them for a peer that reads nothing: 2.5 MiB and more.
var distant = net.Dialer{Control: func(_, _ string, conn syscall.RawConn) error {
	return conn.Control(func(socket uintptr) {
		check(syscall.SetsockoptInt(int(socket), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, segment))
	})
}}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("Expected a command (polite, quick or slow), an address and a count")
	}
	address, count := os.Args[2], number(3)
	switch os.Args[1] {
	case "polite":
		polite(address, count, time.Duration(number(4))*time.Second)
	case "quick":
		each(count, func(int) { pour(address, number(4), true) })
	case "slow":
		each(count, func(int) { pour(address, number(4), false) })
	default:
		log.Fatalf("Unknown command %q: expected polite, quick or slow", os.Args[1])
	}
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

func each(count int, run func(i int)) {
	var all sync.WaitGroup
	for i := 0; i < count; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			run(i)
		}(i)
	}
	all.Wait()
}

func polite(address string, count int, duration time.Duration) {
	conns := make([]net.Conn, count)
	for i := range conns {
		conn, err := distant.Dial("tcp", address)
		check(err)
		conns[i] = conn
	}
	trips := make([][]time.Duration, count)
	began := time.Now().Add(warmUp)
	each(count, func(i int) {
		answer := make([]byte, len(question))
		time.Sleep(time.Duration(rand.Int63n(int64(pause))))
		for time.Since(began) < duration {
			asked := time.Now()
			_, err := io.WriteString(conns[i], question)
			check(err)
			_, err = io.ReadFull(conns[i], answer)
			check(err)
			if asked.After(began) {
				trips[i] = append(trips[i], time.Since(asked))
			}
			time.Sleep(pause)
		}
	})
	every := []time.Duration{}
	for _, some := range trips {
		every = append(every, some...)
	}
	sort.Slice(every, func(a, b int) bool { return every[a] < every[b] })
	at := func(share float64) float64 {
		return float64(every[int(share*float64(len(every)-1))].Microseconds()) / 1000
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"count": len(every), "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "max": at(1),
	}))
}

// pour sends on and on, a connection after the other, and reads what comes back or does not.
func pour(address string, rate int, reads bool) {
	chunk := []byte(strings.Repeat(strings.Repeat("x", 1023)+"\n", rate/perSecond))
	for {
		conn, err := distant.Dial("tcp", address)
		check(err)
		if reads {
			go io.Copy(io.Discard, conn)
		}
		for err == nil {
			// Not all in step: that would be a burst, and no stream of requests.
			time.Sleep(time.Duration(50+rand.Intn(100)) * time.Millisecond)
			conn.SetWriteDeadline(time.Now().Add(time.Second))
			_, err = conn.Write(chunk)
		}
		conn.Close()
	}
}
