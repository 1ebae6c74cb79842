package agent_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
)

func TestCalls(t *testing.T) {
	var seen *http.Request
	status, kind, body := http.StatusOK, "text/plain; charset=utf-8", "x"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.Header()["Content-Type"] = []string{kind}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := agent.New(&http.Client{Jar: jar})
	for range 2 {
		answer, err := a.Get(t.Context(), server.URL, http.Header{"Prefer": {"x"}})
		if err != nil || answer.MediaType != "text/plain" || string(answer.Body) != "x" || seen.Header.Get("Prefer") != "x" || seen.Header.Get("Cookie") != "" {
			t.Fatalf("%+v, %v, %v", answer, err, seen.Header)
		}
	}
	if _, err := a.Post(t.Context(), server.URL, "text/x", "abc"); err != nil || seen.Method != http.MethodPost || seen.ContentLength != 3 || seen.Header.Get("Content-Type") != "text/x" {
		t.Errorf("%v, %v", err, seen.Header)
	}
	kind = ""
	if answer, err := a.Get(t.Context(), server.URL, nil); err != nil || answer.MediaType != "" {
		t.Errorf("no Content-Type: %v", err)
	}
	kind = "text/"
	if answer, err := a.Get(t.Context(), server.URL, nil); err != nil || answer.MediaType != "" {
		t.Errorf("a malformed Content-Type: %v", err)
	}
	kind, body = "application/json", `{"error":"e","error_description":"`+strings.Repeat("d", 400)+`"}`
	for _, status = range []int{http.StatusCreated, http.StatusFound, http.StatusNotFound, http.StatusInternalServerError} {
		var refused *agent.ResponseError
		_, err := a.Get(t.Context(), server.URL, nil)
		if !errors.As(err, &refused) || refused.Status != status || refused.Code != "e" || len(refused.Description) != 300 {
			t.Errorf("%d: %v", status, err)
		}
	}
	status, body = http.StatusOK, strings.Repeat("x", 2<<20)
	if _, err := a.Get(t.Context(), server.URL, nil); err == nil {
		t.Error("an answer without end")
	}
	for _, to := range []string{"http://a.example/", "https://a.example/#x", "file:///etc/passwd", ""} {
		if _, err := a.Get(t.Context(), to, nil); !errors.Is(err, address.ErrNotAllowed) {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestDecode(t *testing.T) {
	var into struct{ A string }
	if err := (agent.Answer{MediaType: agent.JSON, Body: []byte(`{"A":"b","c":1}`)}).Decode(&into); err != nil || into.A != "b" {
		t.Errorf("%v", err)
	}
	for _, body := range []string{"", "x", "[]", `{"A":1}`, `{"A":"a","A":"b"}`, `{"A":"secret"`} {
		if err := (agent.Answer{MediaType: agent.JSON, Body: []byte(body)}).Decode(&into); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", body, err)
		}
	}
}
