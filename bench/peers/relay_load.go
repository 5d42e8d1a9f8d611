// Load for a relay: connections that answer every message with its ok, some of which also send messages.
//
//	relay_load ADDRESS CONNECTIONS SENDERS IN-FLIGHT PAUSE-MS SECONDS WINDOWS
//
// Each sender keeps IN-FLIGHT messages in flight, and waits for PAUSE-MS after each ok. After a warm-up of two seconds, it
// prints one line of JSON for each window of SECONDS: its seconds, the count of oks, and percentiles of their times in µs.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	warmUp = 2 * time.Second
	// Fewer than the kernel queues for a listener.
	dialsInParallel = 100
)

type window struct {
	Seconds float64 `json:"seconds"`
	Count   int     `json:"count"`
	P50     int     `json:"p50"`
	P99     int     `json:"p99"`
	P999    int     `json:"p999"`
}

// A connection of the load.
type peer struct {
	name   int
	reader *bufio.Reader
	// Guards everything below: pauses end in goroutines of their own.
	lock   sync.Mutex
	writer *bufio.Writer
	sentAt []time.Time
	// In µs, since the last window.
	times []int32
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 8 {
		log.Fatal("Expected ADDRESS CONNECTIONS SENDERS IN-FLIGHT PAUSE-MS SECONDS WINDOWS")
	}
	numbers := make([]int, 6)
	for index := range numbers {
		number, err := strconv.Atoi(os.Args[index+2])
		if err != nil || number < 0 {
			log.Fatalf("Cannot use %q: expected a whole number", os.Args[index+2])
		}
		numbers[index] = number
	}
	connections, senders, inFlight := numbers[0], numbers[1], numbers[2]
	pause, seconds := time.Duration(numbers[3])*time.Millisecond, numbers[4]
	peers := dialAll(os.Args[1], connections)
	for index, peer := range peers {
		if index < senders {
			peer.sentAt = make([]time.Time, inFlight)
		}
		go peer.run(pause)
	}
	for _, peer := range peers[:senders] {
		peer.lock.Lock()
		for slot := range peer.sentAt {
			peer.send(slot)
		}
		peer.flush()
		peer.lock.Unlock()
	}
	time.Sleep(warmUp)
	takeTimes(peers)
	printed := json.NewEncoder(os.Stdout)
	for windows := numbers[5]; windows > 0; windows-- {
		begin := time.Now()
		time.Sleep(time.Duration(seconds) * time.Second)
		times := takeTimes(peers)
		sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
		percentile := func(share float64) int {
			if len(times) == 0 {
				return 0
			}
			return int(times[int(float64(len(times)-1)*share)])
		}
		if err := printed.Encode(window{
			time.Since(begin).Seconds(), len(times), percentile(0.5), percentile(0.99), percentile(0.999),
		}); err != nil {
			log.Fatal(err)
		}
	}
}

func dialAll(address string, count int) []*peer {
	peers := make([]*peer, count)
	for from := 0; from < count; from += dialsInParallel {
		var dialing sync.WaitGroup
		for name := from; name < from+dialsInParallel && name < count; name++ {
			dialing.Add(1)
			go func(name int) {
				defer dialing.Done()
				conn, err := net.Dial("tcp", address)
				if err != nil {
					log.Fatal(err)
				}
				peers[name] = &peer{name: name, reader: bufio.NewReader(conn), writer: bufio.NewWriter(conn)}
			}(name)
		}
		dialing.Wait()
	}
	return peers
}

func takeTimes(peers []*peer) []int32 {
	var all []int32
	for _, peer := range peers {
		peer.lock.Lock()
		all = append(all, peer.times...)
		peer.times = peer.times[:0]
		peer.lock.Unlock()
	}
	return all
}

func (p *peer) run(pause time.Duration) {
	for {
		line, err := p.reader.ReadString('\n')
		if err != nil {
			log.Fatalf("Cannot read: %v", err)
		}
		p.lock.Lock()
		if strings.HasPrefix(line, "message ") {
			p.writer.WriteString("ok ")
			p.writer.WriteString(line[len("message "):])
		} else if strings.HasPrefix(line, "ok ") {
			p.acknowledged(line[len("ok "):], pause)
		} else {
			log.Fatalf("Unexpected line: %q", line)
		}
		// One write for all that was read.
		if p.reader.Buffered() == 0 {
			p.flush()
		}
		p.lock.Unlock()
	}
}

func (p *peer) acknowledged(text string, pause time.Duration) {
	_, last, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "-")
	slot, err := strconv.Atoi(last)
	if err != nil || slot >= len(p.sentAt) {
		log.Fatalf("Unexpected ok: %q", text)
	}
	p.times = append(p.times, int32(time.Since(p.sentAt[slot]).Microseconds()))
	if pause == 0 {
		p.send(slot)
		return
	}
	time.AfterFunc(pause, func() {
		p.lock.Lock()
		p.send(slot)
		p.flush()
		p.lock.Unlock()
	})
}

func (p *peer) send(slot int) {
	p.sentAt[slot] = time.Now()
	fmt.Fprintf(p.writer, "message %d-%d\n", p.name, slot)
}

func (p *peer) flush() {
	if err := p.writer.Flush(); err != nil {
		log.Fatalf("Cannot write: %v", err)
	}
}
