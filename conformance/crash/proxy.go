package crash

import (
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// proxy stands between the nodes and the database, and does to their connections what a fault says. What passes goes through
// toxics of Shopify's toxiproxy. Its own proxy is not used: it comes with an HTTP API and Prometheus, and a connection that
// exists when a reset begins is closed in the orderly way.
type proxy struct {
	server string // address of the database
	listen net.Listener
	served sync.WaitGroup

	mu    sync.Mutex
	toxic toxics.Toxic // what the answers pass, and the commands where both says so
	both  bool
	away  bool
	pairs map[*pair]struct{}
}

// pair is a connection of a node and the one to the database behind it.
type pair struct {
	node, database net.Conn
	links          [2]*link // of commands, and of answers
}

// link is what passes in one direction.
type link struct {
	stub  *toxics.ToxicStub
	ended chan struct{}
}

func newProxy(server string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("stand before the database: %w", err)
	}
	p := &proxy{server: server, listen: l, pairs: map[*pair]struct{}{}}
	p.served.Go(func() {
		for {
			node, err := l.Accept()
			if err != nil {
				return // closed
			}
			p.served.Go(func() { p.serve(node) })
		}
	})
	return p, nil
}

// address is where the nodes find the database.
func (p *proxy) address() string { return p.listen.Addr().String() }

func (p *proxy) serve(node net.Conn) {
	database, err := net.Dial("tcp", p.server) //nolint:noctx // it is on this machine
	if err != nil {
		_ = node.Close() // as a database that is not there
		return
	}
	c := &pair{node: node, database: database}
	p.mu.Lock()
	if p.away {
		p.mu.Unlock()
		c.close()
		return
	}
	p.pairs[c] = struct{}{}
	var both sync.WaitGroup
	for i, way := range [2][2]net.Conn{{node, database}, {database, node}} {
		c.links[i] = p.pass(way[0], way[1], i == 0, &both)
	}
	p.mu.Unlock()
	both.Wait()
	p.mu.Lock()
	delete(p.pairs, c)
	p.mu.Unlock()
}

// pass passes what comes from one to the other, and closes both at the end of either. The caller holds mu.
func (p *proxy) pass(from, to net.Conn, commands bool, all *sync.WaitGroup) *link {
	in, out := make(chan *stream.StreamChunk), make(chan *stream.StreamChunk)
	l := &link{stub: toxics.NewToxicStub(in, out), ended: make(chan struct{})}
	all.Go(func() {
		writer := stream.NewChanWriter(in)
		_, _ = io.Copy(writer, from) // that it ended is all that matters
		_ = writer.Close()
	})
	all.Go(func() {
		_, _ = io.Copy(to, stream.NewChanReader(out))
		_, _ = from.Close(), to.Close()
		for chunk := range out { // nobody else takes what the toxic still has
			_ = chunk
		}
	})
	toxic := p.toxicOf(commands)
	all.Go(func() {
		defer close(l.ended)
		for !l.stub.Closed() {
			if stateful, ok := toxic.(toxics.StatefulToxic); ok {
				l.stub.State = stateful.NewState()
			}
			toxic.Pipe(l.stub) // until it is interrupted, since there is another
			p.mu.Lock()
			toxic = p.toxicOf(commands)
			p.mu.Unlock()
		}
		for chunk := range in {
			_ = chunk
		}
	})
	return l
}

// toxicOf returns what a direction passes now. The caller holds mu.
func (p *proxy) toxicOf(commands bool) toxics.Toxic {
	if p.toxic == nil || commands && !p.both {
		return new(toxics.NoopToxic)
	}
	return p.toxic
}

// poison has all connections, the ones that exist too, pass a toxic; nil for none.
func (p *proxy) poison(toxic toxics.Toxic, both bool) {
	p.mu.Lock()
	p.toxic, p.both = toxic, both
	var links []*link
	for c := range p.pairs {
		links = append(links, c.links[:]...)
	}
	p.mu.Unlock()
	var all sync.WaitGroup
	for _, l := range links {
		all.Go(func() {
			select {
			case l.stub.Interrupt <- struct{}{}:
			case <-l.ended:
			}
		})
	}
	all.Wait()
}

// cut closes every connection, and takes new ones or not.
func (p *proxy) cut(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
	for c := range p.pairs {
		c.close()
	}
}

// reset resets every connection.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		for _, conn := range []net.Conn{c.node, c.database} {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // so that Close resets (RFC 9293 §3.9.1.5, abort); one that is closed needs none
			}
		}
		c.close()
	}
}

func (c *pair) close() { _, _ = c.node.Close(), c.database.Close() }

func (p *proxy) close() error {
	err := p.listen.Close()
	p.cut(true)
	p.served.Wait()
	return err
}
