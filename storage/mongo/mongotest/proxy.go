package mongotest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Fault is what a Proxy does with a command.
type Fault struct {
	Command string // insert, update, findAndModify, find, …
	Do      Deed
	Answer  bson.D // of Answered
	// Passed is how many such commands pass before it.
	Passed int
	// Times is how many commands it befalls; 0 for one.
	Times int
	// Then is called before the connection breaks or the answer is sent.
	Then func()
}

// Deed is what becomes of a command.
type Deed int

const (
	// Lost has the server carry it out, and breaks the connection instead of its answer.
	Lost Deed = iota
	// Cut breaks the connection before the server sees it.
	Cut
	// Late breaks the connection, and has the server carry it out when Release is called.
	Late
	// Answered answers in the server's place.
	Answered
	// Stalled has the server carry it out and never answers.
	Stalled
	// Held has the server carry it out, and passes the answer on after Then.
	Held
)

// Proxy stands between a driver and a server, and reads the commands (OP_MSG of MongoDB's wire protocol, without
// compression or checksums) that pass.
type Proxy struct {
	URI    string
	server string
	listen net.Listener

	mu     sync.Mutex
	faults []Fault
	seen   map[string]int
	last   map[string][]byte
	late   [][]byte
	away   bool
	most   int
	open   map[net.Conn]struct{}
	done   sync.WaitGroup
}

// NewProxy returns a proxy for a server's address.
func NewProxy(server string) (*Proxy, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{URI: "mongodb://" + listen.Addr().String() + "/?directConnection=true", server: server, listen: listen, seen: map[string]int{}, last: map[string][]byte{}, open: map[net.Conn]struct{}{}}
	p.done.Go(func() {
		for {
			client, err := listen.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(client) })
		}
	})
	return p, nil
}

// Inject adds a fault.
func (p *Proxy) Inject(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.Times = max(f.Times, 1)
	p.faults = append(p.faults, f)
}

// Most is how many connections there were at once.
func (p *Proxy) Most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

// Forget ends all faults.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// Seen is how many commands of a name came.
func (p *Proxy) Seen(command string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[command]
}

// Last returns the last command of a name.
func (p *Proxy) Last(command string) (document bson.M, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if message := p.last[command]; message != nil {
		err = bson.Unmarshal(body(message), &document)
	}
	return document, err
}

// Away breaks all connections and takes no more, until it is called with false.
func (p *Proxy) Away(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
	if away {
		for c := range p.open {
			_ = c.Close()
		}
	}
}

// Release has the server carry out what came Late, on a connection of its own, and returns its answers.
func (p *Proxy) Release() (answers []bson.M, err error) {
	p.mu.Lock()
	late := p.late
	p.late = nil
	p.mu.Unlock()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	for _, message := range late {
		if _, err := server.Write(message); err != nil {
			return nil, err
		}
		answer, err := read(server)
		if err != nil {
			return nil, err
		}
		var document bson.M
		if err := bson.Unmarshal(body(answer), &document); err != nil {
			return nil, err
		}
		answers = append(answers, document)
	}
	return answers, nil
}

// Close ends the proxy and what goes through it.
func (p *Proxy) Close() error {
	p.Away(true)
	err := p.listen.Close()
	p.done.Wait()
	return err
}

// fault returns what is to become of a command, if anything.
func (p *Proxy) fault(message []byte) (Fault, bool) {
	command := command(message)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[command]++
	p.last[command] = message
	for i := range p.faults {
		f := &p.faults[i]
		switch {
		case f.Command != command || f.Times == 0:
		case f.Passed > 0:
			f.Passed--
		default:
			f.Times--
			return *f, true
		}
	}
	return Fault{}, false
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	away := p.away
	p.open[client], p.open[server] = struct{}{}, struct{}{}
	p.most = max(p.most, len(p.open)/2)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, client)
		delete(p.open, server)
	}()
	for !away {
		message, err := read(client)
		if err != nil {
			return
		}
		if err := p.pass(client, server, message); err != nil {
			return
		}
	}
}

var errBroken = errors.New("the proxy breaks the connection")

// pass passes a command and its answer on, or does what is injected.
func (p *Proxy) pass(client, server net.Conn, message []byte) error {
	f, faulty := p.fault(message)
	if !faulty {
		return exchange(client, server, message)
	}
	var answer bytes.Buffer
	switch f.Do {
	case Lost, Stalled, Held:
		if err := exchange(&answer, server, message); err != nil {
			return err
		}
	case Late:
		p.mu.Lock()
		p.late = append(p.late, message)
		p.mu.Unlock()
	}
	if f.Then != nil {
		f.Then()
	}
	switch f.Do {
	case Answered:
		return reply(client, message, f.Answer)
	case Held:
		_, err := client.Write(answer.Bytes())
		return err
	case Stalled:
		_, err := read(client) // until it gives up
		return err
	}
	return errBroken
}

// exchange has the server carry out a command.
func exchange(client io.Writer, server net.Conn, message []byte) error {
	if _, err := server.Write(message); err != nil {
		return err
	}
	answer, err := read(server)
	if err != nil {
		return err
	}
	_, err = client.Write(answer)
	return err
}

// The layout of a message (MongoDB wire protocol, OP_MSG): length, request id, the request it answers, opcode; flags, the
// kind of the section, and a document.
const (
	opMessage  = 2013
	opcodeAt   = 12
	flagsAt    = 16
	sectionAt  = 20
	bodyAt     = 21
	longest    = 48 << 20
	nameAt     = bodyAt + 5 // behind the document's length and the first element's type
	headerSize = 16
)

// read reads one message.
func read(from net.Conn) ([]byte, error) {
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := int(binary.LittleEndian.Uint32(head))
	if length < headerSize || length > longest {
		return nil, errors.New("no message of MongoDB")
	}
	message := append(head, make([]byte, length-headerSize)...)
	_, err := io.ReadFull(from, message[headerSize:])
	return message, err
}

// body is the document of a message, without the sections behind it.
func body(message []byte) []byte {
	length := binary.LittleEndian.Uint32(message[bodyAt:])
	return message[bodyAt:min(bodyAt+int(length), len(message))]
}

// command is the name of a message's command: the first element of its document.
func command(message []byte) string {
	if len(message) <= nameAt || binary.LittleEndian.Uint32(message[opcodeAt:]) != opMessage || message[sectionAt] != 0 {
		return ""
	}
	name := message[nameAt:]
	for i, b := range name {
		if b == 0 {
			return string(name[:i])
		}
	}
	return ""
}

// reply answers a message.
func reply(client net.Conn, request []byte, answer bson.D) error {
	body, err := bson.Marshal(answer)
	if err != nil {
		return err
	}
	message := binary.LittleEndian.AppendUint32(nil, uint32(bodyAt+len(body)))
	message = binary.LittleEndian.AppendUint32(message, uint32(time.Now().UnixNano()))
	message = append(message, request[4:8]...)
	message = binary.LittleEndian.AppendUint32(message, opMessage)
	message = append(message, 0, 0, 0, 0, 0) // flags and the kind of the section
	_, err = client.Write(append(message, body...))
	return err
}
