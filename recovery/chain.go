package recovery

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
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

// ErrChain means that a log was altered. ErrUnfinished means that only its last line is incomplete, as after a crash:
// that record was never acknowledged.
var (
	ErrChain      = errors.New("audit chain is broken")
	ErrUnfinished = errors.New("last audit record is unfinished")
)

// chainKeySize is the size of a chain key in octets: that of the hash (RFC 2104 §3 recommends no less).
const chainKeySize = sha256.Size

// ChainKey is the secret of an audit log's chain. It shows itself nowhere.
type ChainKey struct{ secret [chainKeySize]byte }

// NewChainKey returns the key with these 32 octets.
func NewChainKey(secret []byte) (ChainKey, error) {
	if len(secret) != chainKeySize {
		return ChainKey{}, fmt.Errorf("key of the audit chain: has %d octets: use %d random ones", len(secret), chainKeySize)
	}
	return ChainKey{secret: [chainKeySize]byte(secret)}, nil
}

// Format keeps the key out of every fmt verb.
func (ChainKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[redacted]") }

// The kinds of what is authenticated: one can never stand for another.
const (
	macRecord  = "record"
	macSegment = "segment"
	macHead    = "head"
)

// mac authenticates fields, in hexadecimal. Each is prefixed with its length, so that two different lists of fields
// never are the same octets.
func (k ChainKey) mac(kind string, fields ...[]byte) string {
	const usual = 1 << 10 // octets of nearly every record
	text := append(append(append(make([]byte, 0, usual), "regain-audit-v2 "...), kind...), '\n')
	for _, field := range fields {
		text = append(append(strconv.AppendInt(text, int64(len(field)), 10), ':'), field...)
	}
	h := hmac.New(sha256.New, k.secret[:])
	h.Write(text)
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0]))
}

func sameMAC(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

func number(n uint64) []byte { return strconv.AppendUint(nil, n, 10) }

// Next chains an event to the log whose head is last.
func (k ChainKey) Next(last Head, event Event) (Link, error) {
	data, err := json.Marshal(event)
	if err != nil {
		return Link{}, fmt.Errorf("encode audit event: %w", err)
	}
	link := Link{Seq: last.Seq + 1, Prev: last.MAC, Event: data}
	link.MAC = k.macOf(link)
	return link, nil
}

func (k ChainKey) macOf(l Link) string {
	return k.mac(macRecord, number(l.Seq), []byte(l.Prev), l.Event)
}

// maxLine bounds the length of one log line in octets.
const maxLine = 1 << 20

// VerifySegment reads a segment: its first line, and then one record a line. It calls see with every valid record, in
// order, and returns the segment's first line and the head after its last whole record. An altered line is an ErrChain
// that names the line's number. Whether the segment follows the one before it, its caller compares
// ([Segment.Follows]).
func (k ChainKey) VerifySegment(r io.Reader, see func(Link)) (Segment, Head, error) {
	lines := bufio.NewReaderSize(r, maxLine)
	first, err := readLine(lines)
	if err != nil {
		return Segment{}, Head{}, fmt.Errorf("line 1: %w", err)
	}
	segment, err := k.ParseSegment(first)
	if err != nil {
		return Segment{}, Head{}, fmt.Errorf("line 1: %w", err)
	}
	last := segment.Head()
	for n := 2; ; n++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return segment, last, nil
		}
		if err != nil {
			return segment, last, fmt.Errorf("line %d: %w", n, err)
		}
		link, err := k.ParseLink(line)
		if err != nil {
			return segment, last, fmt.Errorf("line %d: %w", n, err)
		}
		if link.Seq != last.Seq+1 || !sameMAC(link.Prev, last.MAC) {
			return segment, last, fmt.Errorf("line %d does not follow the one before it: %w", n, ErrChain)
		}
		last.Seq, last.MAC = link.Seq, link.MAC
		see(link)
	}
}

// readLine returns the next line, which is valid until the call after it. The end of the log is io.EOF.
func readLine(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, io.EOF
	case errors.Is(err, io.EOF):
		return nil, ErrUnfinished
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("has more than %d octets: %w", maxLine, ErrChain)
	case err != nil:
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return line, nil
}

// ParseLink reads one record and verifies its MAC. Which record it follows, its caller compares.
func (k ChainKey) ParseLink(line []byte) (Link, error) {
	link, err := parseLink(line)
	if err == nil && !sameMAC(link.MAC, k.macOf(link)) {
		err = fmt.Errorf("record %d was changed, or not made with this key: %w", link.Seq, ErrChain)
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
		return Link{}, fmt.Errorf("not a record as this program writes it: %w", ErrChain)
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
