package web_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/web"
)

// rooted is a site of one issuer: /set gives a cookie, /read says what it is, /page is a page.
func rooted(t *testing.T, issuer string) http.Handler {
	t.Helper()
	w, err := web.New(web.Config{Issuer: issuer, Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	w.Mount(r)
	r.GET("/set", func(c *gin.Context) { web.SetCookie(c, web.CookiePrefix+"session", c.Query("value"), time.Minute) })
	r.GET("/read", func(c *gin.Context) { c.String(http.StatusOK, web.Cookie(c, web.CookiePrefix+"session")) })
	r.GET("/end", func(c *gin.Context) { web.EndCookie(c, web.CookiePrefix+"session") })
	r.GET("/page", func(c *gin.Context) { w.Render(c, http.StatusOK, "signedout", &web.Page{Title: "X"}) })
	r.GET("/fails", w.Page(func(c *gin.Context) error {
		web.NoteBack(c, "/recover/T1")
		return web.ErrNotNow
	}))
	r.GET("/.well-known/openid-configuration", func(c *gin.Context) { c.String(http.StatusOK, "metadata") })
	r.GET("/.well-known/did.json", func(c *gin.Context) { c.String(http.StatusOK, "did") })
	r.GET("/.well-known/did-configuration.json", func(c *gin.Context) { c.String(http.StatusOK, "domain") })
	r.GET("/", func(c *gin.Context) { c.String(http.StatusOK, "home") })
	r.GET("/param/:p", func(c *gin.Context) { c.String(http.StatusOK, c.Param("p")) })
	return w.Rooted(r)
}

func fetch(t *testing.T, h http.Handler, path string, cookies ...*http.Cookie) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer.Result()
}

func bodyOf(t *testing.T, h http.Handler, path string, cookies ...*http.Cookie) string {
	t.Helper()
	var b strings.Builder
	resp := fetch(t, h, path, cookies...)
	defer resp.Body.Close()
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	return body
}

// A browser sends the cookies of every issuer of a host to each of them, since `__Host-` cookies have no path. Each finds its
// own, sets its own and ends its own.
func TestTwoIssuersOnOneHost(t *testing.T) {
	sites := map[string]http.Handler{"": rooted(t, "https://host.example"), "/a": rooted(t, "https://host.example/a"), "/b": rooted(t, "https://host.example/b"), "/a/b": rooted(t, "https://host.example/a/b")}
	var jar []*http.Cookie
	names := map[string]bool{}
	for path, site := range sites {
		resp := fetch(t, site, path+"/set?value=of"+strings.ReplaceAll(path, "/", "-"))
		defer resp.Body.Close()
		for _, c := range resp.Cookies() {
			if !strings.HasPrefix(c.Name, "__Host-regain-session") || c.Path != "/" || !c.Secure || c.Domain != "" {
				t.Errorf("%s: %v", path, c)
			}
			names[c.Name] = true
			jar = append(jar, c)
		}
	}
	if len(names) != len(sites) {
		t.Errorf("%d names: %v", len(names), names)
	}
	for path, site := range sites {
		if got := bodyOf(t, site, path+"/read", jar...); got != "of"+strings.ReplaceAll(path, "/", "-") {
			t.Errorf("%s reads %q", path, got)
		}
		ended := fetch(t, site, path+"/end", jar...)
		defer ended.Body.Close()
		if c := ended.Cookies()[0]; c.MaxAge != -1 || !names[c.Name] {
			t.Errorf("%s ends %v", path, c)
		}
	}
}

// Pages lead below the path, and the addresses that others form from the issuer are answered.
func TestRooted(t *testing.T) {
	site := rooted(t, "https://host.example/x/y")
	for path, want := range map[string]string{
		"/x/y/page": `href="/x/y/static/regain.css"`, "/x/y/fails": `href="/x/y/recover/T1"`, "/.well-known/openid-configuration/x/y": "metadata", "/x/y/.well-known/openid-configuration": "metadata",
		"/x/y/did.json": "did", "/.well-known/did-configuration.json": "domain", "/x/y/param/a%20b": "a b", "/page": "This page does not exist", "/x/y": "home", "/x/y/": "home", "/x/page": "This page does not exist",
		"/x/yz/page": "This page does not exist", "/x%2Fy/page": "This page does not exist", "/.well-known/did.json": "This page does not exist",
	} {
		if got := bodyOf(t, site, path); !strings.Contains(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := bodyOf(t, rooted(t, "https://host.example"), "/page"); !strings.Contains(got, `href="/static/regain.css"`) {
		t.Errorf("without a path: %s", got)
	}
}
