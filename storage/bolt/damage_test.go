package bolt_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/storagetest"
)

const stored = 300

// filled returns a file with records, groups and counters, and what is in it.
func filled(t *testing.T) (data []byte, clock *storagetest.Clock) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "regain.db")
	clock = storagetest.NewClock()
	s, err := bolt.Open(path, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	s.NoSync()
	for i := range stored {
		r := storage.Record{Kind: "t", ID: fmt.Sprint(i), Group: fmt.Sprint(i % 7), Data: []byte(strings.Repeat("data", 50)), ExpiresAt: clock.Now().Add(time.Duration(i+1) * time.Hour)}
		if err := s.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Increment(t.Context(), "c", fmt.Sprint(i), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return data, clock
}

// damaged opens a file of these bytes, and reports whether it was told what is wrong with it, with its name and the cure.
func damaged(t *testing.T, name string, data []byte, clock *storagetest.Clock) (*bolt.Store, bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "regain.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := bolt.Open(path, clock.Now, keyring(t, 1))
	if err == nil {
		s.NoSync()
		t.Cleanup(func() { _ = s.Close() })
		return s, false
	}
	if !errors.Is(err, bolt.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "put back a copy, or move it away") {
		t.Errorf("%s: %v", name, err)
	}
	return nil, true
}

func TestTruncatedFiles(t *testing.T) {
	data, clock := filled(t)
	if _, is := damaged(t, "whole", data, clock); is {
		t.Fatal("the whole file is refused")
	}
	for _, size := range []int{1, 79, 80, 4095, 4096, 8192, 12288, 16384, len(data) / 4, len(data) / 2} {
		if _, is := damaged(t, fmt.Sprint(size, " bytes"), data[:size], clock); !is {
			t.Errorf("%d of %d bytes are a store", size, len(data))
		}
	}
	for name, text := range map[string]string{"text": "secrets:\n", "much text": strings.Repeat("not a database\n", 10_000), "zeros": string(make([]byte, 100_000))} {
		if _, is := damaged(t, name, []byte(text), clock); !is {
			t.Errorf("%s is a store", name)
		}
	}
	if _, is := damaged(t, "empty", nil, clock); is {
		t.Error("an empty file is no store to begin")
	}
}

// Whichever page is garbled, and however: it is told at the start, or what is asked for is an error, or is there. Nothing
// ends the process.
func TestGarbledPages(t *testing.T) {
	data, clock := filled(t)
	const page = 4096
	random := rand.New(rand.NewPCG(1, 2))
	told := map[string]int{}
	for how, garble := range map[string]func(p []byte){
		"zeros":       func(p []byte) { clear(p) },
		"ones":        func(p []byte) { fill(p, func() byte { return 0xff }) },
		"noise":       func(p []byte) { fill(p, func() byte { return byte(random.Uint32()) }) },
		"header":      func(p []byte) { fill(p[:16], func() byte { return byte(random.Uint32()) }) },
		"count":       func(p []byte) { p[10], p[11] = 0xff, 0xff },
		"first item":  func(p []byte) { fill(p[16:32], func() byte { return byte(random.Uint32()) }) },
		"a few bytes": func(p []byte) { p[random.IntN(page)] ^= 0x40; p[random.IntN(page)] ^= 0x01 },
	} {
		for at := random.IntN(4) * page; at+page <= len(data)/2; at += 4 * page { // the second half is free
			name := fmt.Sprintf("%s, page %d", how, at/page)
			broken := append([]byte(nil), data...)
			garble(broken[at : at+page])
			s, is := damaged(t, name, broken, clock)
			if is {
				told[how]++
				continue
			}
			use(t, s)
		}
	}
	for _, how := range []string{"zeros", "ones", "noise", "header"} {
		if told[how] < 3 {
			t.Errorf("%s: told of %d pages", how, told[how])
		}
	}
}

func fill(p []byte, next func() byte) {
	for i := range p {
		p[i] = next()
	}
}

// use asks for everything that was stored and changes it. It may fail, but not panic.
func use(t *testing.T, s *bolt.Store) {
	t.Helper()
	for i := range stored {
		r, err := s.Get(t.Context(), "t", fmt.Sprint(i))
		if err == nil {
			_, _ = s.List(t.Context(), "t", r.Group, "", 10)
		}
		if i%100 != 0 { // a change writes pages
			continue
		}
		if err == nil {
			_ = s.Update(t.Context(), r)
		}
		_, _ = s.Increment(t.Context(), "c", fmt.Sprint(i), time.Hour)
		_, _ = s.Consume(t.Context(), "t", fmt.Sprint(i+1))
	}
}

// Inspect works beside the process that uses the file, and changes nothing.
func TestInspect(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "regain.db")
	if err := bolt.Inspect(path); err != nil {
		t.Errorf("a file that is not there yet: %v", err)
	}
	if found, err := os.ReadDir(directory); err != nil || len(found) != 0 {
		t.Errorf("it made %v, %v", found, err)
	}
	clock := storagetest.NewClock()
	s, err := bolt.Open(path, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.NoSync()
	for i := range 50 {
		if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: fmt.Sprint(i), Data: make([]byte, 2000)}); err != nil {
			t.Fatal(err)
		}
		if err := bolt.Inspect(path); err != nil {
			t.Fatalf("while it is used: %v", err)
		}
	}
	if err := bolt.Inspect(directory); err == nil {
		t.Error("a directory is a store")
	}
}
