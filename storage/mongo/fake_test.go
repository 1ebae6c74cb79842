package mongo_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// fake models the first words of a server of MongoDB's protocol: what it says of itself (hello, as OP_QUERY and OP_MSG), and
// one answer a command. It has no data, and knows neither compression nor checksums nor more than one document a message.
type fake struct {
	address string
	hello   bson.D
	answers map[string]bson.D // by command; of others: {ok: 1}
}

// speaks starts a fake. hello is added to what every server says; with is TLS, if any.
func speaks(t *testing.T, with *tls.Config, hello bson.D, answers map[string]bson.D) string {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	f := &fake{address: listen.Addr().String(), answers: answers, hello: append(bson.D{
		{Key: "ok", Value: 1.0}, {Key: "helloOk", Value: true}, {Key: "maxBsonObjectSize", Value: 16 << 20},
		{Key: "maxMessageSizeBytes", Value: 48_000_000}, {Key: "maxWriteBatchSize", Value: 100_000}, {Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: 21},
	}, hello...)}
	if with != nil {
		listen = tls.NewListener(listen, with)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listen.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			all.Go(func() {
				for f.answer(conn) == nil { //nolint:revive // until the client is gone
				}
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() { _ = listen.Close() })
	return f.address
}

// The layouts are those of MongoDB's wire protocol: OP_QUERY with OP_REPLY, which a driver begins with, and OP_MSG.
func (f *fake) answer(conn net.Conn) error {
	const header, opReply, opMsg, opQuery = 16, 1, 2013, 2004
	head := make([]byte, header)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	body := make([]byte, binary.LittleEndian.Uint32(head)-header)
	if _, err := io.ReadFull(conn, body); err != nil {
		return err
	}
	opcode := binary.LittleEndian.Uint32(head[12:])
	document, front, answers := body[5:], make([]byte, 5), uint32(opMsg) // flags and the kind of the section
	if opcode == opQuery {
		name := bytes.IndexByte(body[4:], 0) + 5
		document = body[name+8:]                     // how many to skip and to return
		front = append(make([]byte, 16), 1, 0, 0, 0) // flags, cursor, where it starts, one document
		answers = opReply
	}
	elements, err := bson.Raw(document[:binary.LittleEndian.Uint32(document)]).Elements()
	if err != nil {
		return err
	}
	said, there := f.answers[elements[0].Key()]
	switch name := elements[0].Key(); {
	case there:
	case name == "hello" || name == "isMaster" || name == "ismaster":
		said = f.hello
	default:
		said = bson.D{{Key: "ok", Value: 1.0}}
	}
	text, err := bson.Marshal(said)
	if err != nil {
		return err
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(header+len(front)+len(text)))
	out = binary.LittleEndian.AppendUint32(out, 1)
	out = append(out, head[4:8]...)
	out = binary.LittleEndian.AppendUint32(out, answers)
	_, err = conn.Write(append(append(out, front...), text...))
	return err
}
