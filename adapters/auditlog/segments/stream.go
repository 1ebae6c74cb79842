package segments

import (
	"bytes"
	"encoding/json"
	"time"

	"regain/recovery"
	"regain/recovery/chain"
)

// event is what the whole needs of a record.
type event struct {
	time        int64 // nanoseconds since 1970
	kind        recovery.EventType
	reason      recovery.Reason
	transaction recovery.TransactionID
	seq         uint64
	late        bool // it was written after the heads of all logs were read
}

// stream verifies one log, and hands on its events as they are read.
type stream struct {
	v       Verification
	log     int
	head    uint64 // the record of the head when it was begun; 0 for unknown
	edge    int64  // what began before may have records that are not here; 0 for a log that is here from its beginning
	events  chan []event
	batch   []event
	report  Report // with err, once events is closed
	err     error
	current []event
}

// batchSize and ahead bound how far one log is read before the others.
const (
	batchSize = 256
	ahead     = 4
)

func newStream(v Verification, head chain.Head) *stream {
	s := &stream{v: v, head: head.Seq, events: make(chan []event, ahead)}
	if files, _, err := v.files(); err == nil && len(files) > 0 { // or else the verification says so
		if first, err := firstLine(files[0].name, v.Key); err == nil && (first.Number > 1 || first.Begun) {
			s.edge = first.Started.Add(keptFor).UnixNano()
		}
	}
	return s
}

func (s *stream) run() {
	s.v.each = func(link chain.Link) {
		s.batch = append(s.batch, eventOf(link, s.head))
		if len(s.batch) == batchSize {
			s.events <- s.batch
			s.batch = make([]event, 0, batchSize)
		}
	}
	s.report, s.err = s.v.verify()
	s.events <- s.batch
	close(s.events)
}

// peek returns the next event, or nil at the end.
func (s *stream) peek() *event {
	for len(s.current) == 0 {
		var more bool
		if s.current, more = <-s.events; !more {
			return nil
		}
	}
	return &s.current[0]
}

func (s *stream) pop() event {
	e := s.current[0]
	s.current = s.current[1:]
	return e
}

// eventOf reads what is needed of a record that was verified. Its text is what recovery.Event encodes to, so the members at
// its beginning can be cut out; what begins in another way is decoded, and so is a denial, for its reason.
func eventOf(link chain.Link, head uint64) event {
	e := event{seq: link.Seq, late: head > 0 && link.Seq > head}
	rest := bytes.TrimPrefix(link.Event, []byte(`{"time":"`))
	at, rest, _ := bytes.Cut(rest, []byte(`","type":"`))
	kind, rest, _ := bytes.Cut(rest, []byte(`","success":`))
	_, rest, _ = bytes.Cut(rest, []byte(`,"txn":"`))
	id, _, cut := bytes.Cut(rest, []byte(`","client":"`))
	when, err := time.Parse(time.RFC3339Nano, string(at))
	if !cut || err != nil || bytes.ContainsAny(kind, `"\`) || bytes.ContainsAny(id, `"\`) || string(kind) == string(recovery.EventRecoveryDenied) {
		var decoded recovery.Event
		_ = json.Unmarshal(link.Event, &decoded) // an event that is none says nothing of a transaction
		e.time, e.kind, e.reason, e.transaction = decoded.Time.UnixNano(), decoded.Type, decoded.Reason, decoded.Transaction
		return e
	}
	e.time, e.kind, e.transaction = when.UnixNano(), recovery.EventType(kind), recovery.TransactionID(id)
	return e
}
