package recovery

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Link is an audit event with its position in the hash chain. The hash covers the sequence number, the previous hash
// and the event, so a party that holds the last hash can detect that an earlier record was changed, removed or
// inserted.
type Link struct {
	Seq   uint64          `json:"seq"` // from 1
	Prev  string          `json:"prev"`
	Hash  string          `json:"hash"`
	Event json.RawMessage `json:"event"`
}

// ErrChain means that a log was altered. ErrUnfinished means that only its last line is incomplete, as after a crash:
// that record was never acknowledged.
var (
	ErrChain      = errors.New("audit chain is broken")
	ErrUnfinished = errors.New("last audit record is unfinished")
)

// NextLink chains an event to the previous link; pass the zero Link for the first event.
func NextLink(prev Link, event Event) (Link, error) {
	data, err := json.Marshal(event)
	if err != nil {
		return Link{}, fmt.Errorf("encode audit event: %w", err)
	}
	link := Link{Seq: prev.Seq + 1, Prev: prev.Hash, Event: data}
	link.Hash = link.hash()
	return link, nil
}

func (l Link) hash() string {
	h := sha256.New()
	// Every field is of fixed length, terminated, or prefixed with its length, so two different links never hash the
	// same bytes.
	fmt.Fprintf(h, "regain-audit-v1\n%d\n%s\n%d\n", l.Seq, l.Prev, len(l.Event))
	h.Write(l.Event)
	return hex.EncodeToString(h.Sum(nil))
}

// maxLine bounds the length of one log line in bytes.
const maxLine = 1 << 20

// VerifyChain reads links, one JSON object a line, and returns the last one. It calls see with every valid link, in
// order. An altered line is an ErrChain that names the line's number.
func VerifyChain(r io.Reader, see func(Link)) (Link, error) {
	var last Link
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return last, nil
		}
		if errors.Is(err, io.EOF) {
			return last, fmt.Errorf("line %d: %w", last.Seq+1, ErrUnfinished)
		}
		if err != nil {
			return last, fmt.Errorf("read audit log: line %d: %w", last.Seq+1, err)
		}
		link, err := parseLink(line)
		if err != nil {
			return last, fmt.Errorf("line %d: %w", last.Seq+1, err)
		}
		if link.Seq != last.Seq+1 || link.Prev != last.Hash || link.Hash != link.hash() {
			return last, fmt.Errorf("line %d does not follow the one before it: %w", last.Seq+1, ErrChain)
		}
		last = link
		see(link)
	}
}

// parseLink decodes a line and requires it to be byte for byte what Encode writes: a second spelling of the same
// record would escape the hash.
func parseLink(line []byte) (Link, error) {
	var link Link
	if err := json.Unmarshal(line, &link); err != nil {
		return Link{}, fmt.Errorf("not a record: %w", errors.Join(ErrChain, err))
	}
	again, err := link.Encode()
	if err != nil || !bytes.Equal(again, line) {
		return Link{}, fmt.Errorf("not written by this program: %w", ErrChain)
	}
	return link, nil
}

// Encode returns the link as one line of the log.
func (l Link) Encode() ([]byte, error) {
	if !json.Valid(l.Event) {
		return nil, errors.New("encode audit record: the event is not JSON")
	}
	// Written without json.Marshal: the event is JSON already, and encoding it again would cost as much as building
	// it.
	line := make([]byte, 0, len(l.Event)+len(l.Prev)+len(l.Hash)+64)
	line = strconv.AppendUint(append(line, `{"seq":`...), l.Seq, 10)
	line = append(append(append(line, `,"prev":"`...), l.Prev...), `","hash":"`...)
	line = append(append(append(line, l.Hash...), `","event":`...), l.Event...)
	return append(line, "}\n"...), nil
}
