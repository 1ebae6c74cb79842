package status_test

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"regain/conformance/proofing/status"
	"regain/conformance/proofing/web"
)

type bench struct {
	*status.Lists
	t      *testing.T
	now    time.Time
	claims map[string]any // of the last token that was signed
	signed int            // tokens
}

func setUp(t *testing.T) *bench {
	b := &bench{t: t, now: time.Now()}
	b.Lists = status.New(status.Config{
		BaseURL: "https://issuer.example", TTL: time.Minute, Clock: func() time.Time { return b.now }, Random: rand.Reader,
		Sign: func(_ string, claims any) (string, error) {
			b.signed++
			b.claims, _ = claims.(map[string]any)
			return "token", nil
		},
		Errors: web.Errors{Logger: slog.New(slog.DiscardHandler)},
	})
	return b
}

func (b *bench) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	mux, got := http.NewServeMux(), httptest.NewRecorder()
	b.Mount(mux)
	mux.ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
	return got
}

// value fetches the list and reads what it says of an entry: two bits, the lowest first (Token Status List §4.1).
func (b *bench) value(at status.Entry) byte {
	b.t.Helper()
	if got := b.get("/status/1"); got.Code != http.StatusOK || got.Header().Get("Content-Type") != "application/statuslist+jwt" {
		b.t.Fatalf("%d %v", got.Code, got.Header())
	}
	list, _ := b.claims["status_list"].(map[string]any)
	packed, _ := list["lst"].(string)
	raw, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil {
		b.t.Fatal(err)
	}
	press, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	bits, err := io.ReadAll(press)
	if err != nil {
		b.t.Fatal(err)
	}
	return bits[at.Index/4] >> (at.Index % 4 * 2) & 3
}

func TestStatus(t *testing.T) {
	b := setUp(t)
	at, err := b.Enroll(false)
	if err != nil || at.URI != "https://issuer.example/status/1" {
		t.Fatalf("%v, %v", at.URI, err)
	}
	b.Remember("one", at)
	for _, row := range []struct {
		name string
		set  func(string) error
		want byte
	}{
		{"new", func(string) error { return nil }, 0}, {"suspended", b.Suspend, 2}, {"restored", b.Restore, 0}, {"revoked", b.Revoke, 1},
	} {
		if err := row.set("one"); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if got := b.value(at); got != row.want {
			t.Errorf("%s: %d", row.name, got)
		}
	}
	if err := b.Revoke("another"); !errors.Is(err, status.ErrUnknownCredential) {
		t.Errorf("one that was not issued: %v", err)
	}
}

// A verifier that keeps an older copy of a list knows already of a document that was reported lost.
func TestReportedDocumentsWereInvalidBefore(t *testing.T) {
	b := setUp(t)
	if _, err := b.Enroll(false); err != nil {
		t.Fatal(err)
	}
	b.get("/status/1")
	at, err := b.Enroll(true)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.value(at); got != 1 || b.signed != 1 {
		t.Errorf("value %d in token %d", got, b.signed)
	}
}

func TestTokensAreKept(t *testing.T) {
	b := setUp(t)
	at, err := b.Enroll(false)
	if err != nil {
		t.Fatal(err)
	}
	b.Remember("one", at)
	for i, row := range []struct {
		before func()
		want   int // tokens signed
	}{
		{func() {}, 1}, {func() {}, 1}, {func() { b.now = b.now.Add(30 * time.Second) }, 2}, {func() { _ = b.Revoke("one") }, 3},
	} {
		row.before()
		if b.get("/status/1"); b.signed != row.want {
			t.Errorf("request %d: %d tokens were signed", i, b.signed)
		}
	}
}

func TestListsThatAreNotThere(t *testing.T) {
	b := setUp(t)
	if _, err := b.Enroll(false); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/status/1": http.StatusOK, "/status/0": http.StatusNotFound, "/status/2": http.StatusNotFound, "/status/01": http.StatusNotFound,
		"/status/x": http.StatusNotFound, "/status/1?time=1": http.StatusNotImplemented,
	} {
		if got := b.get(path); got.Code != want {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}
