package visitor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/idp/visitor"
)

// site is an IdP's passkey page that answers as a test says.
type site struct {
	options string // of both ceremonies
	finish  string
	status  int
	posted  []string
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<p id="passkey-created"></p><p id="signed-in"></p>
			<form id="f" data-begin="/begin" data-finish="/finish"><button id="create-passkey">x</button></form>
			<form id="g" data-begin="/begin" data-finish="/finish"><button id="passkey-sign-in">x</button></form>`)
	case r.URL.Path == "/begin":
		_, _ = fmt.Fprint(w, s.options)
	default:
		s.posted = append(s.posted, r.Header.Get("Origin"))
		w.WriteHeader(s.status)
		_, _ = fmt.Fprint(w, s.finish)
	}
}

const good = `{"publicKey":{"challenge":"Y2hhbGxlbmdl","rp":{"id":"idp.localhost"},"rpId":"idp.localhost","user":{"id":"dXNlcg"}}}`

func at(t *testing.T, s *site) *visitor.Visitor {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	v, err := visitor.New(browser.New(browser.Config{}), strings.Replace(server.URL, "127.0.0.1", "idp.localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPasskeysAreBoundToTheSite(t *testing.T) {
	for name, c := range map[string]struct {
		rp string
		ok bool
	}{"the host": {"idp.localhost", true}, "above it": {"localhost", true}, "another": {"evil.localhost", false}, "its tail": {"dp.localhost", false}} {
		t.Run(name, func(t *testing.T) {
			s := &site{options: strings.ReplaceAll(good, "idp.localhost", c.rp), finish: `{"next":"/"}`, status: http.StatusOK}
			v := at(t, s)
			_, err := v.CreatePasskey(t.Context())
			if (err == nil) != c.ok || (len(s.posted) == 1) != c.ok {
				t.Fatalf("%v after %v", err, s.posted)
			}
			if c.ok && !strings.HasPrefix(s.posted[0], "http://idp.localhost:") {
				t.Errorf("origin %s", s.posted[0])
			}
			if !c.ok {
				return
			}
			if _, err := v.SignInWithPasskey(t.Context()); err != nil {
				t.Error(err)
			}
			s.options = strings.ReplaceAll(good, "idp.localhost", "other.localhost")
			if _, err := v.SignInWithPasskey(t.Context()); err == nil {
				t.Error("signed for another site")
			}
		})
	}
}
