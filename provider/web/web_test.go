package web_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/facetest"
	"regain/provider/problem"
	"regain/provider/web"
	"regain/recovery"
)

// Each error has its page, and none shows its cause.
func TestErrorPages(t *testing.T) {
	for _, row := range []struct {
		err    error
		status int
		title  string
		back   bool
	}{
		{web.ErrBroughtBack, http.StatusForbidden, "Your wallet opened another browser", false},
		{web.ErrNotHere, http.StatusForbidden, "This recovery is not here any more", false},
		{web.ErrCodeOver, http.StatusForbidden, "There is no code to show here", false},
		{web.ErrNoPage, http.StatusNotFound, "This page does not exist", true},
		{web.ErrMethod, http.StatusMethodNotAllowed, "This page cannot be used like that", true},
		{web.ErrForgedForm, http.StatusForbidden, "This form is out of date", true},
		{web.ErrNotNow, http.StatusConflict, "That step is not possible now", true},
		{recovery.ErrNoTransaction, http.StatusForbidden, "This recovery belongs to another browser", false},
		{recovery.ErrOtherBrowser, http.StatusForbidden, "This recovery belongs to another browser", false},
		{recovery.ErrExpired, http.StatusGone, "This recovery has expired", false},
		{recovery.ErrIllegalStep, http.StatusConflict, "That step is not possible now", true},
		{recovery.ErrConflict, http.StatusConflict, "That step is not possible now", true},
		{recovery.ErrAnswered, http.StatusConflict, "That step is not possible now", true},
		{recovery.ErrWrongCode, http.StatusConflict, "That step is not possible now", true},
		{recovery.ErrRedeemed, http.StatusConflict, "That step is not possible now", true},
		{recovery.ErrClosed, http.StatusConflict, "That step is not possible now", true},
		{problem.InvalidRequest("The parameter state is too long."), http.StatusBadRequest, "Your organisation&#39;s request was not understood", false},
		{problem.Unavailable(errors.New("disk")), http.StatusInternalServerError, "Something went wrong on our side", true},
		{errors.New("disk"), http.StatusInternalServerError, "Something went wrong on our side", true},
	} {
		e := facetest.New(t, nil)
		e.Router.GET("/fails", e.Web.Page(func(c *gin.Context) error {
			web.NoteBack(c, "/recover/T1")
			return fmt.Errorf("secret cause: %w", row.err)
		}))
		got := e.Get("/fails", &http.Cookie{Name: web.CookiePrefix + "another-recovery", Value: "x"})
		body := got.Body.String()
		if got.Code != row.status || !strings.Contains(body, "<h1>"+row.title+"</h1>") || strings.Contains(body, "secret cause") {
			t.Errorf("%v: %d %s", row.err, got.Code, body)
		}
		if back := strings.Contains(body, `href="/recover/T1"`); back != row.back {
			t.Errorf("%v: the way back is offered: %t", row.err, back)
		}
		if !strings.Contains(body, got.Header().Get("Correlation-Id")) || !strings.Contains(e.Log.String(), "secret cause") {
			t.Errorf("%v: the reference is not on the page, or the cause is not in the log", row.err)
		}
	}
}

// A browser that sends no cookie at all is told that one is needed, and one that sends another recovery's is not.
func TestCookiesAreNeeded(t *testing.T) {
	for _, err := range []error{recovery.ErrNoTransaction, recovery.ErrOtherBrowser} {
		e := facetest.New(t, nil)
		e.Router.GET("/fails", e.Web.Page(func(*gin.Context) error { return err }))
		for name, row := range map[string]struct {
			cookie *http.Cookie
			needed bool
		}{
			"none": {nil, true}, "another site's": {&http.Cookie{Name: "session", Value: "x"}, true}, "another recovery's": {&http.Cookie{Name: web.CookiePrefix + "x", Value: "x"}, false},
		} {
			got := e.Get("/fails", row.cookie)
			body := got.Body.String()
			if needed := strings.Contains(body, "needs a cookie"); got.Code != http.StatusForbidden || needed != row.needed || strings.Contains(body, "<h1>This recovery belongs") == row.needed {
				t.Errorf("%s: %d %s", name, got.Code, body)
			}
		}
	}
}

func TestFailJSON(t *testing.T) {
	for _, row := range []struct {
		err    error
		status int
		code   string
	}{
		{problem.InvalidGrant("The code was used."), http.StatusBadRequest, "invalid_grant"},
		{fmt.Errorf("wrapped: %w", problem.InvalidRequest("No.").WithCause(errors.New("secret cause"))), http.StatusBadRequest, "invalid_request"},
		{errors.New("secret cause"), http.StatusInternalServerError, "server_error"},
	} {
		e := facetest.New(t, nil)
		e.Router.GET("/fails", func(c *gin.Context) { web.FailJSON(c, row.err) })
		got := e.Get("/fails", nil)
		body := got.Body.String()
		if got.Code != row.status || !strings.Contains(body, `"error":"`+row.code+`"`) || strings.Contains(body, "secret") || got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %d %s", row.err, got.Code, body)
		}
		if !strings.Contains(body, `"correlation_id":"`+got.Header().Get("Correlation-Id")+`"`) {
			t.Errorf("%v: no reference: %s", row.err, body)
		}
	}
}

// One event a request, with what was noted last under each key, and never the path.
func TestRecord(t *testing.T) {
	e := facetest.New(t, nil)
	e.Router.GET("/request/:handle", func(c *gin.Context) {
		web.Note(c, slog.String("state", "first"))
		web.Note(c, slog.String("other", "kept"))
		web.Note(c, slog.String("state", "last"))
		c.Status(http.StatusTeapot)
	})
	got := e.Get("/request/unguessable-handle", nil)
	event := e.Log.String()
	if strings.Count(event, "\n") != 1 || strings.Contains(event, "unguessable") || strings.Contains(event, "first") {
		t.Errorf("event: %s", event)
	}
	for _, part := range []string{`"level":"INFO"`, `"route":"/request/:handle"`, `"status":418`, `"state":"last"`, `"other":"kept"`, `"correlation_id":"` + got.Header().Get("Correlation-Id") + `"`} {
		if !strings.Contains(event, part) {
			t.Errorf("no %s: %s", part, event)
		}
	}
}

func TestAPanicIsAServerError(t *testing.T) {
	e := facetest.New(t, nil)
	e.Router.GET("/panics", func(*gin.Context) { panic("secret cause") })
	got := e.Get("/panics", nil)
	if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "secret") || !strings.Contains(e.Log.String(), `"level":"ERROR"`) || !strings.Contains(e.Log.String(), "secret cause") {
		t.Errorf("%d %s; log %s", got.Code, got.Body, e.Log)
	}
}

func TestAddressesAndMethodsThatDoNotExist(t *testing.T) {
	e := facetest.New(t, nil)
	e.Router.GET("/there", func(c *gin.Context) { c.Status(http.StatusOK) })
	if got := e.Get("/nowhere", nil); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), `id="problem"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := e.Post("/there", nil, nil); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("%d", got.Code)
	}
	for address, status := range map[string]int{"/static/regain.css": http.StatusOK, "/static/": http.StatusNotFound, "/static/../layout.html": http.StatusNotFound} {
		if got := e.Get(address, nil); got.Code != status {
			t.Errorf("%s: %d", address, got.Code)
		}
	}
}

// A form of ours is answered by a page that navigates; everything else by a redirect.
func TestLeave(t *testing.T) {
	const target = "com.example.app:/back?code=a&state=%22%3E"
	for name, row := range map[string]struct {
		method, site, origin string
		page                 bool
	}{
		"a form of ours":                      {http.MethodPost, "same-origin", "", true},
		"of ours, of an older browser":        {http.MethodPost, "", facetest.Issuer, true},
		"the client's own form":               {http.MethodPost, "cross-site", "https://client.example", false},
		"the client's, of an older browser":   {http.MethodPost, "", "https://client.example", false},
		"cross-site, in spite of the Origin":  {http.MethodPost, "cross-site", facetest.Issuer, false},
		"a program":                           {http.MethodPost, "", "", false},
		"a link of ours":                      {http.MethodGet, "same-origin", "", false},
		"a navigation without any initiative": {http.MethodGet, "none", "", false},
	} {
		e := facetest.New(t, nil)
		e.Router.Handle(row.method, "/leave", func(c *gin.Context) { e.Web.Leave(c, target) })
		r := httptest.NewRequest(row.method, "/leave", nil)
		r.Header.Set("Sec-Fetch-Site", row.site)
		r.Header.Set("Origin", row.origin)
		got := e.Do(r)
		if got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be cached", name)
		}
		if !row.page {
			if got.Code != http.StatusSeeOther || got.Header().Get("Location") != target {
				t.Errorf("%s: %d to %s", name, got.Code, got.Header().Get("Location"))
			}
			continue
		}
		body := got.Body.String()
		if got.Code != http.StatusOK || got.Header().Get("Location") != "" || got.Header().Get("Referrer-Policy") != "no-referrer" ||
			!strings.Contains(body, `content="0;url=com.example.app:/back?code=a&amp;state=%22%3E"`) || !strings.Contains(body, `id="go-on" href="com.example.app:/back?code=a&amp;state=%22%3E"`) {
			t.Errorf("%s: %d %s", name, got.Code, body)
		}
	}
}

// A form of ours passes behind a proxy that rewrites Host, whatever the browser says of where it comes from; a form of
// another origin does not, also where Host is that origin.
func TestCheckOrigin(t *testing.T) {
	for name, row := range map[string]struct {
		site, origin string
		passes       bool
	}{
		"a form of ours":                          {"same-origin", facetest.Issuer, true},
		"of ours, of an older browser":            {"", facetest.Issuer, true},
		"reloaded by the person":                  {"none", facetest.Issuer, true},
		"a program":                               {"", "", true},
		"another site":                            {"cross-site", "https://evil.example", false},
		"another site, of an older browser":       {"", "https://evil.example", false},
		"the origin of Host, of an older browser": {"", "https://backend.internal", false},
		"a sibling":                               {"same-site", "https://sibling.example", false},
		"a frame without an origin":               {"", "null", false},
		"our origin without TLS":                  {"", "http://regain.example", false},
		"our origin with another port":            {"", facetest.Issuer + ":8443", false},
		"a longer one":                            {"", facetest.Issuer + ".evil.example", false},
		"cross-site, in spite of the Origin":      {"cross-site", facetest.Issuer, false},
		"a site that nobody knows":                {"same-planet", "", false},
	} {
		for _, host := range []string{"regain.example", "backend.internal", "backend.internal:8400", "127.0.0.1:8400"} {
			e := facetest.New(t, nil)
			e.Router.POST("/form", e.Web.Page(func(c *gin.Context) error {
				c.Status(http.StatusNoContent)
				return e.Web.CheckOrigin(c)
			}))
			r := httptest.NewRequest(http.MethodPost, "/form", nil)
			r.Host = host
			for header, value := range map[string]string{"Sec-Fetch-Site": row.site, "Origin": row.origin} {
				if value != "" {
					r.Header.Set(header, value)
				}
			}
			if got := e.Do(r); (got.Code == http.StatusNoContent) != row.passes {
				t.Errorf("%s, at %s: %d", name, host, got.Code)
			}
		}
	}
}

// Browsers write an origin in lower case and without its default port, however the issuer is written.
func TestOwnOrigin(t *testing.T) {
	for issuer, own := range map[string]string{
		"https://Regain.Example": "https://regain.example", "https://regain.example:443": "https://regain.example",
		"https://regain.example:8443": "https://regain.example:8443", "http://regain.localhost:80": "http://regain.localhost",
	} {
		w, err := web.New(web.Config{Issuer: issuer, Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		for origin, want := range map[string]bool{own: true, own + "0": false, "https://evil.example": false, "null": false} {
			c, _ := gin.CreateTestContext(httptest.NewRecorder())
			c.Request = httptest.NewRequest(http.MethodPost, "/leave", nil)
			c.Request.Header.Set("Origin", origin)
			if got := w.FromOwnPage(c); got != want {
				t.Errorf("issuer %s, origin %s: %t", issuer, origin, got)
			}
		}
	}
}

func TestLeaveByPost(t *testing.T) {
	e := facetest.New(t, nil)
	e.Router.GET("/leave", func(c *gin.Context) {
		e.Web.LeaveByPost(c, "https://client.example/cb", url.Values{"state": {`"><script>`}, "code": {"a"}})
	})
	got := e.Get("/leave", nil)
	body, policy := got.Body.String(), got.Header().Get("Content-Security-Policy")
	if strings.Contains(policy, "form-action") || !strings.Contains(policy, "default-src 'none'") || got.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("policy %q", policy)
	}
	if !strings.Contains(body, `action="https://client.example/cb"`) || strings.Contains(body, "<script>") || strings.Index(body, `name="code"`) > strings.Index(body, `name="state"`) {
		t.Error(body)
	}
}

func TestReadForm(t *testing.T) {
	read := func(r *http.Request) (form url.Values, err error) {
		e := facetest.New(t, nil)
		e.Router.POST("/form", func(c *gin.Context) { form, err = web.ReadForm(c, 32) })
		e.Do(r)
		return form, err
	}
	if form, err := read(facetest.FormRequest("/form?a=query", url.Values{"a": {"1", "2"}})); err != nil || len(form["a"]) != 2 {
		t.Errorf("%v, %v: the query is no part of the form", form, err)
	}
	if _, err := read(facetest.FormRequest("/form", url.Values{"a": {strings.Repeat("x", 64)}})); !errors.Is(err, web.ErrFormTooLarge) {
		t.Errorf("too large: %v", err)
	}
	broken := httptest.NewRequest(http.MethodPost, "/form", strings.NewReader("a=%secret"))
	broken.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if _, err := read(broken); !errors.Is(err, web.ErrFormMalformed) || strings.Contains(err.Error(), "secret") {
		t.Errorf("malformed: %v", err)
	}
}

func TestFormTokens(t *testing.T) {
	token := web.FormToken("secret")
	for form, ok := range map[string]bool{token: true, "": false, token[1:]: false, web.FormToken(""): false, web.FormToken("other"): false} {
		if got := web.HasFormToken(url.Values{"csrf": {form}}, "secret"); got != ok {
			t.Errorf("%q: %t", form, got)
		}
	}
}

// The cookie's attributes are those that its name promises (RFC 6265bis §4.1.3.2).
func TestCookies(t *testing.T) {
	e := facetest.New(t, nil)
	e.Router.GET("/set", func(c *gin.Context) { web.SetCookie(c, web.CookiePrefix+"x", "secret", time.Minute) })
	e.Router.GET("/end", func(c *gin.Context) { web.EndCookie(c, web.CookiePrefix+"x") })
	for address, age := range map[string]int{"/set": 60, "/end": -1} {
		c := e.Get(address, nil).Result().Cookies()[0]
		if c.Name != "__Host-regain-x" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || c.MaxAge != age {
			t.Errorf("%s: %+v", address, c)
		}
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	good := web.Config{Issuer: facetest.Issuer, Logger: slog.Default(), Clock: time.Now, Random: strings.NewReader("")}
	for name, spoil := range map[string]func(*web.Config){
		"Issuer": func(c *web.Config) { c.Issuer = "" }, "Logger": func(c *web.Config) { c.Logger = nil },
		"Clock": func(c *web.Config) { c.Clock = nil }, "Random": func(c *web.Config) { c.Random = nil },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := web.New(cfg); err == nil {
			t.Errorf("made without %s", name)
		}
	}
}

// Without randomness there is no correlation id, and nothing is served.
func TestNoRandomness(t *testing.T) {
	w, err := web.New(web.Config{Issuer: facetest.Issuer, Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: strings.NewReader("short")})
	if err != nil {
		t.Fatal(err)
	}
	r := gin.New()
	w.Mount(r)
	r.GET("/", func(c *gin.Context) { c.Status(http.StatusOK) })
	got := httptest.NewRecorder()
	r.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/", nil))
	if got.Code != http.StatusInternalServerError {
		t.Errorf("%d", got.Code)
	}
}
