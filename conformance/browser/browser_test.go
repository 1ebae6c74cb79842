package browser_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"regain/conformance/browser"
)

func TestRedirectsAreFollowedAndRecorded(t *testing.T) {
	w := &web{origins: map[string]http.HandlerFunc{
		"https://a.example": at(map[string]http.HandlerFunc{"/": redirect(303, "/two?x=1"), "/two": redirect(http.StatusFound, "https://b.example/three#part")}),
		"https://b.example": page("<title>\n Three </title>"),
	}}
	p := open(t, on(w), "https://a.example/")
	if p.URL.String() != "https://b.example/three#part" || p.Status != 200 || p.Title != "Three" {
		t.Errorf("page %s, status %d, title %q", p.URL, p.Status, p.Title)
	}
	if want := []string{"https://a.example/two?x=1", "https://b.example/three#part"}; !slices.Equal(p.Redirects, want) {
		t.Errorf("redirects %v", p.Redirects)
	}
	if w.last().URL.Fragment != "" {
		t.Error("the fragment left the browser")
	}
}

func TestRedirectKeepsTheFragment(t *testing.T) {
	w := &web{origins: map[string]http.HandlerFunc{"https://a.example": at(map[string]http.HandlerFunc{"/": redirect(http.StatusFound, "/two"), "/two": page("")})}}
	if p := open(t, on(w), "https://a.example/#here"); p.URL.Fragment != "here" {
		t.Errorf("page %s", p.URL)
	}
}

// TestPostAfterRedirect is Fetch §4.4 step 12: which statuses repeat a POST.
func TestPostAfterRedirect(t *testing.T) {
	for status, method := range map[int]string{301: "GET", 302: "GET", 303: "GET", 307: "POST", 308: "POST"} {
		w := &web{origins: map[string]http.HandlerFunc{"https://a.example": at(map[string]http.HandlerFunc{
			"/": page(`<form id=f method=post action=/do><input name=x value=1></form>`), "/do": redirect(status, "/done"), "/done": page(""),
		})}}
		b := on(w)
		if _, err := submit(t, b, open(t, b, "https://a.example/"), "f", nil); err != nil {
			t.Fatal(err)
		}
		if r := w.last(); r.Method != method || (r.PostFormValue("x") == "1") != (method == "POST") || (r.Header.Get("Content-Type") != "") != (method == "POST") {
			t.Errorf("%d: %s with %v", status, r.Method, r.PostForm)
		}
	}
}

func TestTroubleOnTheWay(t *testing.T) {
	big := strings.Repeat("a", 2<<20)
	w := &web{origins: map[string]http.HandlerFunc{"https://a.example": at(map[string]http.HandlerFunc{
		"/loop": redirect(http.StatusFound, "/loop"), "/big": page(big + "a"), "/fits": page(big), "/app": redirect(http.StatusFound, "openid4vp://authorize?x=1"),
		"/bad": redirect(http.StatusFound, "https://a.example:port/"), "/plain": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) },
	})}}
	for path, want := range map[string]error{"/loop": browser.ErrRedirects, "/big": browser.ErrTooLarge, "/app": browser.ErrAddress} {
		if _, err := on(w).Open(t.Context(), "https://a.example"+path); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, address := range []string{"https://a.example/bad", "https://nobody.example/", "://", "/relative", "mailto:a@example.org"} {
		if p, err := on(w).Open(t.Context(), address); err == nil {
			t.Errorf("%s: page %s", address, p.URL)
		}
	}
	if p := open(t, on(w), "https://a.example/fits"); len(p.Body) != 2<<20 {
		t.Errorf("%d bytes", len(p.Body))
	}
	if p := open(t, on(w), "https://a.example/plain"); p.Status != 302 {
		t.Errorf("status %d", p.Status)
	}
}

// TestErrorsTellNoSecrets has a code in the URL of a page that does not answer.
func TestErrorsTellNoSecrets(t *testing.T) {
	_, err := on(&web{}).Open(t.Context(), "https://a.example/callback?code=hush")
	if err == nil || strings.Contains(strings.Split(err.Error(), ": Get")[0], "hush") {
		t.Errorf("error %v", err)
	}
}

func TestExactlyTwentyRedirects(t *testing.T) {
	for count, ok := range map[int]bool{20: true, 21: false} {
		left := count
		w := &web{origins: map[string]http.HandlerFunc{"https://a.example": func(w http.ResponseWriter, r *http.Request) {
			if left--; left >= 0 {
				redirect(http.StatusFound, "/next")(w, r)
			}
		}}}
		if _, err := on(w).Open(t.Context(), "https://a.example/"); (err == nil) != ok {
			t.Errorf("%d redirects: %v", count, err)
		}
	}
}

func TestStopAt(t *testing.T) {
	w := &web{origins: map[string]http.HandlerFunc{"https://a.example": at(map[string]http.HandlerFunc{
		"/": page(`<form id=f method=post action=/do></form>`), "/do": redirect(303, "com.example.app:/callback?code=1"), "/stop": page("never"),
	})}}
	b := browser.New(browser.Config{HTTPClient: &http.Client{Transport: w}, StopAt: func(u *url.URL) bool {
		return u.Scheme == "com.example.app" || u.Path == "/stop"
	}})
	p, err := submit(t, b, open(t, b, "https://a.example/"), "f", nil)
	if err != nil || p.Status != 0 || p.URL.String() != "com.example.app:/callback?code=1" || len(p.Redirects) != 1 {
		t.Errorf("page %v, %v", p, err)
	}
	if p := open(t, b, "https://a.example/stop"); p.Status != 0 || p.Text() != "" || len(w.seen) != 2 {
		t.Errorf("page %v after %d requests", p, len(w.seen))
	}
}

func TestFetchMetadata(t *testing.T) {
	const from = "https://www.shop.example"
	for name, c := range map[string]struct {
		policy, to  string
		then        string // where the first target redirects to with 307
		site, given string // Sec-Fetch-Site and Origin of the last request
	}{
		"own origin":                   {"", from, "", "same-origin", from},
		"own site":                     {"", "https://pay.shop.example", "", "same-site", from},
		"another site":                 {"", "https://evil.example", "", "cross-site", from},
		"no-referrer hides the origin": {"no-referrer", from, "", "same-origin", "null"},
		"same-origin shows it at home": {"same-origin", from, "", "same-origin", from},
		"same-origin hides it abroad":  {"same-origin", "https://evil.example", "", "cross-site", "null"},
		"strict-origin shows it":       {"strict-origin", "https://evil.example", "", "cross-site", from},
		"downgrade hides it":           {"", "http://plain.example", "", "cross-site", "null"},
		"the last policy known counts": {"no-referrer, strict-origin, what", from, "", "same-origin", from},
		"there and back":               {"", "https://evil.example", from, "cross-site", "null"},
		"redirected away":              {"", from, "https://evil.example", "cross-site", from},
	} {
		t.Run(name, func(t *testing.T) {
			answer := at(map[string]http.HandlerFunc{"/do": page(""), "/start": page(`<form id=f method=post action="`+c.to+`/go"></form>`, "Referrer-Policy", c.policy)})
			if c.then == "" {
				c.then = c.to
			}
			w := &web{origins: map[string]http.HandlerFunc{}}
			for _, origin := range []string{from, "https://pay.shop.example", "https://evil.example", "http://plain.example"} {
				w.origins[origin] = func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/go" {
						redirect(307, c.then+"/do")(w, r)
						return
					}
					answer(w, r)
				}
			}
			b := on(w)
			if _, err := submit(t, b, open(t, b, from+"/start"), "f", nil); err != nil {
				t.Fatal(err)
			}
			h := w.last().Header
			if h.Get("Sec-Fetch-Site") != c.site || h.Get("Origin") != c.given || h.Get("Sec-Fetch-Mode") != "navigate" || !strings.HasPrefix(h.Get("Accept"), "text/html") {
				t.Errorf("headers %v", h)
			}
		})
	}
}

func TestTypedAddressesComeFromNowhere(t *testing.T) {
	w := &web{origins: map[string]http.HandlerFunc{"https://a.example": page("")}}
	b := on(w)
	open(t, b, "https://a.example/")
	open(t, b, "https://a.example/again")
	if h := w.last().Header; h.Get("Sec-Fetch-Site") != "none" || h.Get("Origin") != "" {
		t.Errorf("headers %v", h)
	}
	if _, err := b.Follow(t.Context(), "?x=1"); err != nil || w.last().URL.String() != "https://a.example/again?x=1" || w.last().Header.Get("Sec-Fetch-Site") != "same-origin" {
		t.Errorf("%s, %v: %v", w.last().URL, w.last().Header, err)
	}
	if _, err := on(w).Follow(t.Context(), "https://a.example/"); err != nil {
		t.Errorf("first page: %v", err)
	}
}

func TestFetchIsWhatAScriptSends(t *testing.T) {
	w := &web{origins: map[string]http.HandlerFunc{"https://a.example": page(`{"n":1}`, "Referrer-Policy", "no-referrer", "Set-Cookie", "c=1; SameSite=Strict")}}
	b := on(w)
	request := browser.Request{Method: "POST", Address: "/json", ContentType: "application/json", Body: []byte("{}")}
	if _, err := b.Fetch(t.Context(), request); err == nil {
		t.Error("a script ran without a page")
	}
	first := open(t, b, "https://a.example/")
	answer, err := b.Fetch(t.Context(), request)
	if err != nil || string(answer.Body) != `{"n":1}` || b.Current() != first {
		t.Fatalf("answer %v, %v", answer, err)
	}
	h := w.last().Header
	if h.Get("Origin") != "https://a.example" || h.Get("Sec-Fetch-Mode") != "cors" || h.Get("Content-Type") != "application/json" || len(w.last().Cookies()) != 1 {
		t.Errorf("headers %v", h)
	}
	request.Address = "https://b.example/"
	if _, err := b.Fetch(t.Context(), request); err == nil {
		t.Error("a script asked another origin")
	}
}

// TestNamesUnderLocalhost opens a real server by a name that no resolver need know.
func TestNamesUnderLocalhost(t *testing.T) {
	server := httptest.NewServer(page("<title>here</title>"))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for name, client := range map[string]*http.Client{"none": nil, "empty": {}, "plain transport": {Transport: &http.Transport{}}} {
		p, err := browser.New(browser.Config{HTTPClient: client}).Open(t.Context(), "http://some.name.localhost:"+port+"/")
		if err != nil || p.Title != "here" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestClientIsOnlyTransport gives a client that would follow redirects and keep cookies itself.
func TestClientIsOnlyTransport(t *testing.T) {
	w := &web{origins: map[string]http.HandlerFunc{"https://a.example": at(map[string]http.HandlerFunc{"/": redirect(http.StatusFound, "/two"), "/two": page("")})}}
	client := &http.Client{Transport: w, CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("asked the client") }}
	p, err := browser.New(browser.Config{HTTPClient: client}).Open(t.Context(), "https://a.example/")
	if err != nil || len(p.Redirects) != 1 {
		t.Errorf("%v, %v", p, err)
	}
}
