package verifiertest

import (
	"bytes"
	"compress/zlib"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// StatusList serves a Status List Token over HTTP. Set the hooks before the first request; entries may change at any
// time.
type StatusList struct {
	URI      string
	Signer   Party
	Bits     int                               // of an entry; New sets 2
	TTL      int                               // seconds; New sets 300
	Change   func(header, body map[string]any) // breaks the token before it is signed
	Answer   http.HandlerFunc                  // if set, answers instead of the list
	Requests atomic.Int64

	t       testing.TB
	clock   func() int64
	mu      sync.Mutex
	entries []byte // one entry per byte
}

const entries = 1024

// Set sets the value of an entry.
func (l *StatusList) Set(index int, value byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[index] = value
}

// Token returns the signed Status List Token (Token Status List §5.1).
func (l *StatusList) Token() string {
	header := map[string]any{"alg": "ES256", "typ": "statuslist+jwt", "x5c": x5c(l.Signer.Chain)}
	body := map[string]any{
		"sub": l.URI, "iat": l.clock(), "exp": l.clock() + 2*int64(l.TTL), "ttl": l.TTL,
		"status_list": map[string]any{"bits": l.Bits, "lst": Encode(Compress(l.t, l.pack()))},
	}
	if l.Change != nil {
		l.Change(header, body)
	}
	return Sign(l.t, l.Signer.Key, header, body)
}

// pack packs entries into bytes, the first into the least significant bits (Token Status List §4.1).
func (l *StatusList) pack() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	packed := make([]byte, entries*l.Bits/8)
	for i, value := range l.entries {
		at := i * l.Bits
		packed[at/8] |= value << (at % 8)
	}
	return packed
}

func (l *StatusList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.Requests.Add(1)
	if l.Answer != nil {
		l.Answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/statuslist+jwt")
	_, _ = w.Write([]byte(l.Token()))
}

// Compress compresses raw with zlib.
func Compress(t testing.TB, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
