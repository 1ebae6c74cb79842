package chain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"regain/recovery"
)

// Link is an audit event with its position in the chain. Its MAC covers the sequence number, the MAC before it and the
// event, under a key that is not kept beside the log: without the key nobody can change, remove or insert a record and
// chain the ones after it anew.
type Link struct {
	Seq   uint64          `json:"seq"` // from 1, through all segments
	Prev  string          `json:"prev"`
	MAC   string          `json:"mac"`
	Event json.RawMessage `json:"event"`
}

// Next chains an event to the log whose head is last.
func (k Key) Next(last Head, event recovery.Event) (Link, error) {
	data, err := json.Marshal(event)
	if err != nil {
		return Link{}, fmt.Errorf("encode audit event: %w", err)
	}
	link := Link{Seq: last.Seq + 1, Prev: last.MAC, Event: data}
	link.MAC = k.macOf(link)
	return link, nil
}

func (k Key) macOf(l Link) string {
	return k.mac(macRecord, number(l.Seq), []byte(l.Prev), l.Event)
}

// ParseLink reads one record and verifies its MAC. Which record it follows, its caller compares.
func (k Key) ParseLink(line []byte) (Link, error) {
	link, err := parseLink(line)
	if err == nil && !sameMAC(link.MAC, k.macOf(link)) {
		err = fmt.Errorf("record %d was changed, or not made with this key: %w", link.Seq, ErrBroken)
	}
	return link, err
}

// parseLink decodes a line that is byte for byte what Encode writes: a second spelling of the same record would escape
// the MAC.
func parseLink(line []byte) (Link, error) {
	rest := bytes.TrimPrefix(line, []byte(`{"seq":`))
	seq, rest, _ := bytes.Cut(rest, []byte(`,"prev":"`))
	prev, rest, _ := bytes.Cut(rest, []byte(`","mac":"`))
	mac, rest, _ := bytes.Cut(rest, []byte(`","event":`))
	n, _ := strconv.ParseUint(string(seq), 10, 64)
	link := Link{Seq: n, Prev: string(prev), MAC: string(mac), Event: bytes.Clone(bytes.TrimSuffix(rest, []byte("}\n")))}
	if !bytes.Equal(link.Encode(), line) {
		return Link{}, fmt.Errorf("not a record as this program writes it: %w", ErrBroken)
	}
	return link, nil
}

// Encode returns the link as one line of the log.
func (l Link) Encode() []byte {
	// Written without json.Marshal: the event is JSON already, and encoding it again would cost as much as building
	// it.
	line := make([]byte, 0, len(l.Event)+len(l.Prev)+len(l.MAC)+64)
	line = strconv.AppendUint(append(line, `{"seq":`...), l.Seq, 10)
	line = append(append(append(line, `,"prev":"`...), l.Prev...), `","mac":"`...)
	line = append(append(append(line, l.MAC...), `","event":`...), l.Event...)
	return append(line, "}\n"...)
}
