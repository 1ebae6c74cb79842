package status_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/verifier/internal/jws"
	"regain/verifier/status"
	"regain/verifier/verifiertest"
)

const minTTL, maxTTL = time.Minute, time.Hour

func newLists(t testing.TB, issuer *verifiertest.Issuer, clock *verifiertest.Clock) *status.Lists {
	t.Helper()
	lists, err := status.New(status.Config{MinTTL: minTTL, MaxTTL: maxTTL, Fetch: issuer.Fetcher(), Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return lists
}

// believe verifies a list with the key that the test's issuer really has.
func believe(issuer *verifiertest.Issuer) status.Trusted {
	return func(token jws.JWS) error {
		leaf, err := x509.ParseCertificate(token.Certificates[0])
		if err != nil {
			return err
		}
		key := issuer.Status.Signer.Key.PublicKey
		if !key.Equal(leaf.PublicKey) {
			return errors.New("another key")
		}
		return token.Verify(&key)
	}
}

func TestLookReadsEachWidth(t *testing.T) {
	for bits, values := range map[int][]byte{1: {0, 1}, 2: {0, 1, 2, 3}, 4: {0, 1, 7, 15}, 8: {0, 1, 128, 255}} {
		clock := verifiertest.NewClock()
		issuer := verifiertest.New(t, clock.Now)
		issuer.Status.Bits = bits
		for i := range 1024 {
			issuer.Status.Set(i, values[i%len(values)])
		}
		lists := newLists(t, issuer, clock)
		for _, i := range []int{0, 1, 2, 3, 7, 8, 9, 1023} {
			got, err := lists.Look(t.Context(), status.Reference{URI: issuer.Status.URI, Index: int64(i)}, believe(issuer))
			if want := status.Status(values[i%len(values)]); err != nil || got != want {
				t.Errorf("%d bits, entry %d: got %d, %v; want %d", bits, i, got, err, want)
			}
		}
		for _, i := range []int64{1024, 1 << 40, 1<<63 - 1} {
			if got, err := lists.Look(t.Context(), status.Reference{URI: issuer.Status.URI, Index: i}, believe(issuer)); !errors.Is(err, status.ErrUnavailable) || got == status.Valid {
				t.Errorf("%d bits, entry %d: got %d, %v", bits, i, got, err)
			}
		}
	}
}

// TestLookRefuses breaks one thing of a list in order.
func TestLookRefuses(t *testing.T) {
	type hook = func(header, body map[string]any)
	inner := func(body map[string]any) map[string]any { return body["status_list"].(map[string]any) }
	large := bomb(t) // here: a fetch may take seconds
	for name, row := range map[string]struct {
		change hook
		why    string
	}{
		"sub":               {func(_, body map[string]any) { body["sub"] = "https://other.example/1" }, "sub is not the list's URI"},
		"no sub":            {func(_, body map[string]any) { delete(body, "sub") }, "sub is not the list's URI"},
		"no iat":            {func(_, body map[string]any) { delete(body, "iat") }, "iat: malformed JWS: not a number"},
		"from the future":   {func(_, body map[string]any) { body["iat"] = body["iat"].(int64) + 120 }, "iat is in the future"},
		"expired":           {func(_, body map[string]any) { body["exp"] = body["iat"] }, "list has expired"},
		"exp no number":     {func(_, body map[string]any) { body["exp"] = "soon" }, "exp: malformed JWS: not a number"},
		"ttl 0":             {func(_, body map[string]any) { body["ttl"] = 0 }, "ttl is not a positive number"},
		"ttl below 0":       {func(_, body map[string]any) { body["ttl"] = -5 }, "ttl is not a positive number"},
		"bits 3":            {func(_, body map[string]any) { inner(body)["bits"] = 3 }, "bits is not 1, 2, 4 or 8"},
		"bits in quotes":    {func(_, body map[string]any) { inner(body)["bits"] = "2" }, "bits is not 1, 2, 4 or 8"},
		"no status_list":    {func(_, body map[string]any) { delete(body, "status_list") }, "bits is not 1, 2, 4 or 8"},
		"lst no base64url":  {func(_, body map[string]any) { inner(body)["lst"] = "+/==" }, "lst: malformed JWS: not base64url"},
		"lst no zlib":       {func(_, body map[string]any) { inner(body)["lst"] = verifiertest.Encode([]byte("plain")) }, "lst is not zlib"},
		"lst cut off":       {func(_, body map[string]any) { s := inner(body)["lst"].(string); inner(body)["lst"] = s[:len(s)-8] }, "lst does not decompress"},
		"lst bomb":          {func(_, body map[string]any) { inner(body)["lst"] = large }, "lst is larger than 4194304 bytes"},
		"lst empty":         {func(_, body map[string]any) { inner(body)["lst"] = verifiertest.Encode(verifiertest.Compress(t, nil)) }, "idx is beyond the end of the list"},
		"typ":               {func(header, _ map[string]any) { header["typ"] = "JWT" }, "typ is not accepted"},
		"typ of credential": {func(header, _ map[string]any) { header["typ"] = "dc+sd-jwt" }, "typ is not accepted"},
		"alg":               {func(header, _ map[string]any) { header["alg"] = "none" }, "alg is not accepted"},
		"crit":              {func(header, _ map[string]any) { header["crit"] = []string{"exp"} }, "header has crit"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := verifiertest.NewClock()
			issuer := verifiertest.New(t, clock.Now)
			issuer.Status.Change = row.change
			if _, err := newLists(t, issuer, clock).Look(t.Context(), status.Reference{URI: issuer.Status.URI}, believe(issuer)); !errors.Is(err, status.ErrUnavailable) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func bomb(t *testing.T) string {
	t.Helper()
	return verifiertest.Encode(verifiertest.Compress(t, make([]byte, 4<<20+1)))
}

// The largest list is read to its end.
func TestTheLargestList(t *testing.T) {
	clock := verifiertest.NewClock()
	issuer := verifiertest.New(t, clock.Now)
	last := make([]byte, 4<<20)
	last[len(last)-1] = 0xc0 // the last entry of two bits
	issuer.Status.Change = func(_, body map[string]any) {
		body["status_list"] = map[string]any{"bits": 2, "lst": verifiertest.Encode(verifiertest.Compress(t, last))}
	}
	lists := newLists(t, issuer, clock)
	for index, want := range map[int64]status.Status{0: 0, 65536 * 4: 0, 4<<22 - 2: 0, 4<<22 - 1: 3} {
		if got, err := lists.Look(t.Context(), status.Reference{URI: issuer.Status.URI, Index: index}, believe(issuer)); got != want || err != nil {
			t.Errorf("entry %d: %d, %v, want %d", index, got, err, want)
		}
	}
	if _, err := lists.Look(t.Context(), status.Reference{URI: issuer.Status.URI, Index: 4 << 22}, believe(issuer)); err == nil {
		t.Error("an entry beyond the end")
	}
}

// A list of whom nobody trusts is not decompressed: what a host serves takes no more memory than it sends.
func TestListsOfStrangersStayCompressed(t *testing.T) {
	clock := verifiertest.NewClock()
	issuer := verifiertest.New(t, clock.Now)
	issuer.Status.Change = func(_, body map[string]any) {
		body["status_list"] = map[string]any{"bits": 2, "lst": bomb(t)}
	}
	lists, stranger := newLists(t, issuer, clock), errors.New("signed by a stranger")
	reference := status.Reference{URI: issuer.Status.URI}
	for range 2 {
		if _, err := lists.Look(t.Context(), reference, func(jws.JWS) error { return stranger }); !errors.Is(err, stranger) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := lists.Look(t.Context(), reference, believe(issuer)); err == nil || !strings.Contains(err.Error(), "lst is larger") {
		t.Errorf("of whom somebody trusts: %v", err)
	}
	issuer.Status.Change = nil // it is mended
	clock.Advance(3 * time.Second)
	if got, err := lists.Look(t.Context(), reference, believe(issuer)); got != status.Valid || err != nil {
		t.Errorf("a list that was mended: %d, %v", got, err)
	}
}

func TestLookRefusesAnotherMediaType(t *testing.T) {
	clock := verifiertest.NewClock()
	issuer := verifiertest.New(t, clock.Now)
	issuer.Status.Answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(issuer.Status.Token()))
	}
	if _, err := newLists(t, issuer, clock).Look(t.Context(), status.Reference{URI: issuer.Status.URI}, believe(issuer)); !errors.Is(err, status.ErrUnavailable) || !strings.Contains(err.Error(), "the media type is not that of a status list") {
		t.Errorf("got %v", err)
	}
}

func TestLookFetchesAgainWhenTheListIsOld(t *testing.T) {
	for name, tt := range map[string]struct {
		change        func(body map[string]any)
		kept, dropped time.Duration
	}{
		"ttl":                {func(map[string]any) {}, 299 * time.Second, 300 * time.Second},
		"ttl below ours":     {func(body map[string]any) { body["ttl"] = 1 }, 59 * time.Second, time.Minute},
		"ttl above ours":     {func(body map[string]any) { body["ttl"], body["exp"] = 1<<30, body["iat"].(int64)+1<<20 }, 59 * time.Minute, time.Hour},
		"no ttl":             {func(body map[string]any) { delete(body, "ttl") }, 59 * time.Second, time.Minute},
		"exp before ttl":     {func(body map[string]any) { body["exp"] = body["iat"].(int64) + 100 }, 99 * time.Second, 100 * time.Second},
		"exp before our min": {func(body map[string]any) { body["exp"] = body["iat"].(int64) + 10 }, 9 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			clock := verifiertest.NewClock()
			issuer := verifiertest.New(t, clock.Now)
			issuer.Status.Change = func(_, body map[string]any) { tt.change(body) }
			lists := newLists(t, issuer, clock)
			for _, step := range []struct {
				wait     time.Duration
				requests int64
			}{{0, 1}, {tt.kept, 1}, {tt.dropped - tt.kept, 2}} {
				clock.Advance(step.wait)
				if _, err := lists.Look(t.Context(), status.Reference{URI: issuer.Status.URI}, believe(issuer)); err != nil {
					t.Fatal(err)
				}
				if got := issuer.Status.Requests.Load(); got != step.requests {
					t.Errorf("after %v more: %d requests, want %d", step.wait, got, step.requests)
				}
			}
		})
	}
}

// TestLookForgetsFailuresSoon holds that neither an outage nor a list that nobody believes lasts longer than it must.
func TestLookForgetsFailuresSoon(t *testing.T) {
	for name, breakIt := range map[string]func(*verifiertest.Issuer){
		"response is not 200 OK: 404": func(i *verifiertest.Issuer) { i.Status.Answer = http.NotFound },
		"typ is not accepted":         func(i *verifiertest.Issuer) { i.Status.Change = func(header, _ map[string]any) { header["typ"] = "x" } },
	} {
		t.Run(name, func(t *testing.T) {
			clock := verifiertest.NewClock()
			issuer := verifiertest.New(t, clock.Now)
			breakIt(issuer)
			lists := newLists(t, issuer, clock)
			reference := status.Reference{URI: issuer.Status.URI}
			for range 3 {
				if _, err := lists.Look(t.Context(), reference, believe(issuer)); err == nil || !strings.Contains(err.Error(), name) {
					t.Fatalf("got %v", err)
				}
			}
			if n := issuer.Status.Requests.Load(); n != 1 {
				t.Errorf("%d requests while the failure is fresh", n)
			}
			issuer.Status.Answer, issuer.Status.Change = nil, nil
			clock.Advance(4 * time.Second)
			if _, err := lists.Look(t.Context(), reference, believe(issuer)); err != nil {
				t.Errorf("after the failure: %v", err)
			}
		})
	}
}

func TestLookForgetsAListThatIsNotBelieved(t *testing.T) {
	clock := verifiertest.NewClock()
	issuer := verifiertest.New(t, clock.Now)
	good := issuer.Status.Signer
	issuer.Status.Signer.Key = verifiertest.NewKey(t)
	lists, reference := newLists(t, issuer, clock), status.Reference{URI: issuer.Status.URI}
	honest := *issuer
	honest.Status = &verifiertest.StatusList{Signer: good}
	for range 2 {
		if _, err := lists.Look(t.Context(), reference, believe(&honest)); !errors.Is(err, status.ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
	}
	if n := issuer.Status.Requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
	issuer.Status.Signer = good
	clock.Advance(4 * time.Second)
	if _, err := lists.Look(t.Context(), reference, believe(&honest)); err != nil {
		t.Error(err)
	}
}

func TestLookFetchesOnceForMany(t *testing.T) {
	clock := verifiertest.NewClock()
	issuer := verifiertest.New(t, clock.Now)
	asked, release := make(chan struct{}, 21), make(chan struct{})
	issuer.Status.Answer = func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		w.Header().Set("Content-Type", "application/statuslist+jwt")
		_, _ = w.Write([]byte(issuer.Status.Token()))
	}
	lists, reference := newLists(t, issuer, clock), status.Reference{URI: issuer.Status.URI}
	gone, leave := context.WithCancel(t.Context())
	var first, group sync.WaitGroup
	first.Go(func() { // the first to ask goes away, and takes nobody along
		if _, err := lists.Look(gone, reference, believe(issuer)); !errors.Is(err, context.Canceled) {
			t.Errorf("gone: got %v", err)
		}
	})
	select {
	case <-asked:
	case <-time.After(10 * time.Second):
		close(release)
		t.Fatal("nothing asks for the list")
	}
	leave()
	first.Wait()
	for range 20 {
		group.Go(func() {
			if _, err := lists.Look(t.Context(), reference, believe(issuer)); err != nil {
				t.Error(err)
			}
		})
	}
	close(release)
	group.Wait()
	if n := issuer.Status.Requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestNewRefuses(t *testing.T) {
	clock := verifiertest.NewClock()
	fetcher := verifiertest.New(t, clock.Now).Fetcher()
	for name, row := range map[string]struct {
		cfg status.Config
		why string
	}{
		"no fetcher":     {status.Config{MaxTTL: 1, Clock: clock.Now}, "Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required"},
		"no clock":       {status.Config{MaxTTL: 1, Fetch: fetcher}, "Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required"},
		"no max":         {status.Config{Fetch: fetcher, Clock: clock.Now}, "Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required"},
		"min above max":  {status.Config{MinTTL: 2, MaxTTL: 1, Fetch: fetcher, Clock: clock.Now}, "Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required"},
		"min below zero": {status.Config{MinTTL: -1, MaxTTL: 1, Fetch: fetcher, Clock: clock.Now}, "Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required"},
	} {
		if _, err := status.New(row.cfg); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	issuer := verifiertest.New(f, verifiertest.NewClock().Now)
	token := issuer.Status.Token()
	f.Add(token)
	f.Add(strings.Replace(token, ".", "..", 1))
	f.Add(token[:len(token)/2])
	f.Add("e30.e30.AA")
	f.Fuzz(func(t *testing.T, text string) {
		_, list, err := status.Parse(text)
		if err != nil {
			return
		}
		checkCanonical(t, text)
		if n, err := list.Inflate(); err == nil && n > 4<<20 {
			t.Errorf("%d bytes", n)
		}
	})
}

// checkCanonical holds that what is read has no second spelling.
func checkCanonical(t *testing.T, text string) {
	t.Helper()
	parts := strings.Split(text, ".")
	for i, part := range parts {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatalf("part %d is not base64url", i)
		}
		parts[i] = verifiertest.Encode(raw)
	}
	if strings.Join(parts, ".") != text {
		t.Error("it does not encode back to the same text")
	}
}
