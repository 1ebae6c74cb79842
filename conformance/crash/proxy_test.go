package crash

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// echo is a server that answers what it reads, behind a proxy.
func echo(t *testing.T) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	p, err := newProxy(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.close(), l.Close()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func dial(t *testing.T, p *proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// says sends something, and returns what came back of it until the connection ended.
func says(c net.Conn, text []byte) ([]byte, error) {
	if _, err := c.Write(text); err != nil {
		return nil, err
	}
	got := make([]byte, len(text))
	n, err := io.ReadFull(c, got)
	return got[:n], err
}

// Each fault does what its name says, to connections that exist too, and is over when it ends.
func TestFaultsOfTheConnection(t *testing.T) {
	p := echo(t)
	text := bytes.Repeat([]byte("0123456789"), 100)
	c := dial(t, p)
	whole := func() {
		t.Helper()
		if got, err := says(c, text); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%d of %d octets came back: %v", len(got), len(text), err)
		}
	}
	whole()

	const delay = 50
	p.poison(&toxics.LatencyToxic{Latency: delay}, true)
	if began := time.Now(); true {
		if whole(); time.Since(began) < 2*delay*time.Millisecond {
			t.Errorf("there and back in %s", time.Since(began))
		}
	}
	p.poison(&toxics.SlicerToxic{AverageSize: 100, SizeVariation: 50, Delay: 100}, true)
	whole()
	p.poison(nil, false)
	whole()

	p.poison(&toxics.LimitDataToxic{Bytes: 300}, false)
	if got, err := says(c, text); err == nil || len(got) != 300 {
		t.Errorf("torn: %d octets of the answer came, %v", len(got), err)
	}
	p.poison(nil, false)

	c = dial(t, p)
	whole()
	p.reset()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}

	c = dial(t, p)
	whole()
	p.cut(true)
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("cut: %v", err)
	}
	if got, err := says(dial(t, p), text); err == nil {
		t.Errorf("a new connection while it is away: %d octets", len(got))
	}
	p.cut(false)
	c = dial(t, p)
	whole()
}
