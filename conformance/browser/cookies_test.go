package browser_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"regain/conformance/browser"
)

// TestKeep sets a cookie at one address and looks whether it goes to another.
func TestKeep(t *testing.T) {
	for name, c := range map[string]struct {
		at, set, to string
		sent        bool
	}{
		"plain":                                 {"https://a.example/", "c=1", "https://a.example/x", true},
		"not to another host":                   {"https://a.example/", "c=1", "https://b.example/", false},
		"not to a host below":                   {"https://a.example/", "c=1", "https://www.a.example/", false},
		"to another port":                       {"https://a.example/", "c=1", "https://a.example:8443/", true},
		"host names in capitals":                {"https://A.example/", "c=1", "https://a.example/", true},
		"a domain is refused":                   {"https://a.example/", "c=1; Domain=a.example", "https://a.example/", false},
		"secure over https":                     {"https://a.example/", "c=1; Secure", "https://a.example/", true},
		"secure not to http":                    {"https://a.example/", "c=1; Secure", "http://a.example/", false},
		"secure from http is refused":           {"http://a.example/", "c=1; Secure", "https://a.example/", false},
		"secure on this machine":                {"http://idp.localhost:8401/", "c=1; Secure", "http://idp.localhost:8401/", true},
		"secure on the loopback address":        {"http://127.0.0.1:8401/", "c=1; Secure", "http://127.0.0.1:8401/", true},
		"secure on a name that only looks so":   {"http://notlocalhost/", "c=1; Secure", "http://notlocalhost/", false},
		"host prefix":                           {"https://a.example/", "__Host-c=1; Secure; Path=/", "https://a.example/x", true},
		"host prefix on this machine":           {"http://idp.localhost/", "__Host-c=1; Secure; Path=/", "http://idp.localhost/x", true},
		"host prefix without secure":            {"https://a.example/", "__Host-c=1; Path=/", "https://a.example/", false},
		"host prefix without path":              {"https://a.example/", "__Host-c=1; Secure", "https://a.example/", false},
		"host prefix with another path":         {"https://a.example/x", "__Host-c=1; Secure; Path=/x", "https://a.example/x", false},
		"host prefix with a domain":             {"https://a.example/", "__Host-c=1; Secure; Path=/; Domain=a.example", "https://a.example/", false},
		"host prefix in other letters":          {"https://a.example/", "__hoST-c=1; Path=/", "https://a.example/", false},
		"secure prefix without secure":          {"https://a.example/", "__Secure-c=1", "https://a.example/", false},
		"secure prefix":                         {"https://a.example/", "__Secure-c=1; Secure", "https://a.example/", true},
		"path":                                  {"https://a.example/", "c=1; Path=/x", "https://a.example/x/y", true},
		"path is not a prefix of a word":        {"https://a.example/", "c=1; Path=/x", "https://a.example/xy", false},
		"path with a slash at the end":          {"https://a.example/", "c=1; Path=/x/", "https://a.example/x/y", true},
		"default path is the page's directory":  {"https://a.example/dir/page", "c=1", "https://a.example/dir/other", true},
		"default path keeps it there":           {"https://a.example/dir/page", "c=1", "https://a.example/", false},
		"a path that is none":                   {"https://a.example/", "c=1; Path=x", "https://a.example/", true},
		"max-age zero":                          {"https://a.example/", "c=1; Max-Age=0", "https://a.example/", false},
		"expires in the past":                   {"https://a.example/", "c=1; Expires=Mon, 02 Jan 2006 15:04:05 GMT", "https://a.example/", false},
		"max-age before expires":                {"https://a.example/", "c=1; Max-Age=60; Expires=Mon, 02 Jan 2006 15:04:05 GMT", "https://a.example/", true},
		"same-site none without secure":         {"https://a.example/", "c=1; SameSite=None", "https://a.example/", false},
		"http-only":                             {"https://a.example/", "c=1; HttpOnly", "https://a.example/", true},
		"not a cookie":                          {"https://a.example/", "=;;", "https://a.example/", false},
		"a quoted value goes back as it came":   {"https://a.example/", `c="1"`, "https://a.example/", true},
		"an address that is none has no cookie": {"https://a.example/", "c=1", "https://a.example:port/", false},
	} {
		t.Run(name, func(t *testing.T) {
			answer := page("", "Set-Cookie", c.set)
			w := &web{origins: map[string]http.HandlerFunc{
				"https://a.example": answer, "https://A.example": answer, "http://a.example": answer, "http://idp.localhost:8401": answer,
				"http://idp.localhost": answer, "http://127.0.0.1:8401": answer, "http://notlocalhost": answer,
			}}
			b := on(w)
			open(t, b, c.at)
			if sent := len(b.Cookies(c.to)) == 1; sent != c.sent {
				t.Errorf("sent: %t, want %t", sent, c.sent)
			}
		})
	}
}

func TestCookieAttributesAreShown(t *testing.T) {
	b := on(&web{origins: map[string]http.HandlerFunc{"https://a.example": page("", "Set-Cookie", "c=1; HttpOnly; Secure; SameSite=Lax")}})
	open(t, b, "https://a.example/")
	c := b.Cookies("https://a.example/")[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Value != "1" {
		t.Errorf("cookie %v", c)
	}
}

func TestCookieExpiry(t *testing.T) {
	now := &watch{time.Unix(1_790_000_000, 0)}
	b := browser.New(browser.Config{Clock: now.now, HTTPClient: &http.Client{Transport: &web{origins: map[string]http.HandlerFunc{
		"https://a.example": page("", "Set-Cookie", "c=1; Max-Age=60"),
	}}}})
	open(t, b, "https://a.example/")
	for after, want := range map[time.Duration]int{0: 1, 59 * time.Second: 1} {
		now.Time = time.Unix(1_790_000_000, 0).Add(after)
		if got := len(b.Cookies("https://a.example/")); got != want {
			t.Errorf("after %s: %d cookies, want %d", after, got, want)
		}
	}
	now.Time = time.Unix(1_790_000_060, 0)
	if got := len(b.Cookies("https://a.example/")); got != 0 {
		t.Errorf("after its age: %d cookies", got)
	}
}

func TestCookiesAreReplacedRemovedAndOrdered(t *testing.T) {
	b := on(&web{origins: map[string]http.HandlerFunc{"https://a.example": at(map[string]http.HandlerFunc{
		"/1":    page("", "Set-Cookie", "c=1; Path=/", "Set-Cookie", "d=1; Path=/"),
		"/2":    page("", "Set-Cookie", "c=2; Path=/", "Set-Cookie", "deep=1; Path=/x"),
		"/gone": page("", "Set-Cookie", "c=; Path=/; Max-Age=0"),
	})}})
	values := func() []string {
		var list []string
		for _, c := range b.Cookies("https://a.example/x") {
			list = append(list, c.Name+"="+c.Value)
		}
		return list
	}
	for _, step := range []struct {
		path string
		want []string
	}{{"/1", []string{"c=1", "d=1"}}, {"/2", []string{"deep=1", "d=1", "c=2"}}, {"/gone", []string{"deep=1", "d=1"}}} {
		open(t, b, "https://a.example"+step.path)
		if got := values(); !slices.Equal(got, step.want) {
			t.Errorf("after %s: %v, want %v", step.path, got, step.want)
		}
	}
}

// TestSecureCookiesAreLeftAlone plants a cookie from the plain origin over one of the secure origin.
func TestSecureCookiesAreLeftAlone(t *testing.T) {
	b := on(&web{origins: map[string]http.HandlerFunc{
		"https://a.example": page("", "Set-Cookie", "session=good; Secure; Path=/"),
		"http://a.example":  page("", "Set-Cookie", "session=planted; Path=/", "Set-Cookie", "other=1; Path=/"),
	}})
	open(t, b, "https://a.example/")
	open(t, b, "http://a.example/")
	list := b.Cookies("https://a.example/")
	if len(list) != 2 || list[0].Value != "good" || list[1].Name != "other" {
		t.Errorf("cookies %v", list)
	}
}

func TestSameSite(t *testing.T) {
	const here, there = "https://shop.example", "https://evil.example"
	for name, c := range map[string]struct {
		attribute, from, form string
		sent                  bool
	}{
		"lax, link from another site":      {"SameSite=Lax", there, "", true},
		"lax, post from another site":      {"SameSite=Lax", there, "post", false},
		"lax, get form from another site":  {"SameSite=Lax", there, "get", true},
		"none said, post from elsewhere":   {"Secure", there, "post", false},
		"strict, link from another site":   {"SameSite=Strict", there, "", false},
		"strict, own form":                 {"SameSite=Strict", here, "post", true},
		"strict, from a host of the site":  {"SameSite=Strict", "https://www.shop.example", "post", true},
		"none, post from another site":     {"SameSite=None; Secure", there, "post", true},
		"strict, other scheme is a site":   {"SameSite=Strict", "http://shop.example", "post", false},
		"strict, typed into the address":   {"SameSite=Strict", "", "", true},
		"strict, other port is no site":    {"SameSite=Strict", "https://shop.example:8443", "post", true},
		"lax, site above a public suffix":  {"SameSite=Lax", "https://evil.co.uk", "post", false},
		"strict, a name under .localhost":  {"SameSite=Strict", "http://idp.localhost", "post", false},
		"strict, loopback address is none": {"SameSite=Strict", "http://127.0.0.1", "post", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &web{origins: map[string]http.HandlerFunc{here: page(`<form id=f method=post action="/do"></form>`, "Set-Cookie", "c=1; "+c.attribute)}}
			if c.from != "" && c.from != here {
				w.origins[c.from] = page(`<a id=l href="` + here + `/do">x</a><form id=f method="` + c.form + `" action="` + here + `/do"></form>`)
			}
			b := on(w)
			open(t, b, here+"/")
			var err error
			switch {
			case c.from == "":
				open(t, b, here+"/do")
			case c.form == "":
				open(t, b, c.from+"/")
				_, err = b.Follow(t.Context(), here+"/do")
			default:
				_, err = submit(t, b, open(t, b, c.from+"/"), "f", nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			if sent := len(w.last().Cookies()) == 1; sent != c.sent {
				t.Errorf("sent: %t, want %t", sent, c.sent)
			}
		})
	}
}

func TestOneHostCannotFillTheJar(t *testing.T) {
	b := on(&web{origins: map[string]http.HandlerFunc{"https://a.example": func(w http.ResponseWriter, _ *http.Request) {
		for i := range 300 {
			http.SetCookie(w, &http.Cookie{Name: "c" + string(rune('a'+i%26)) + string(rune('a'+i/26)), Value: "1"})
		}
	}}})
	open(t, b, "https://a.example/")
	if got := len(b.Cookies("https://a.example/")); got != 180 {
		t.Errorf("%d cookies", got)
	}
}
