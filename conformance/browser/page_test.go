package browser_test

import (
	"net/http"
	"net/url"
	"testing"
	"unicode/utf8"

	"regain/conformance/browser"
)

func TestPage(t *testing.T) {
	p := parsed(t, `<!doctype html><title> A  title </title><style>no</style><body>
		<h1>Head<b>ing</b></h1><p id=p data-error="access_denied">one<br>two</p><script>no()</script>
		<noscript><p id=ns>without scripts</p></noscript><p hidden>no</p><template>no</template>
		<a id=l href="../up?x=1#f">up</a><a id=none>no</a><a id=bad href="https://a:b/">bad</a><p id=l2>no link</p>`)
	if p.Title != "A title" {
		t.Errorf("title %q", p.Title)
	}
	if want := "Heading one two without scripts upnobad no link"; p.Text() != want {
		t.Errorf("text %q", p.Text())
	}
	if got, ok := p.ByID("p"); !ok || got != "one two" {
		t.Errorf("element %q", got)
	}
	if !p.Has("ns") || p.Has("") || p.Has("nothing") {
		t.Error("ids")
	}
	if p.Attr("p", "data-error") != "access_denied" || p.Attr("p", "x") != "" || p.Attr("nothing", "x") != "" {
		t.Error("attributes")
	}
	if href, ok := p.Link("l"); !ok || href != "https://a.example/up?x=1#f" {
		t.Errorf("link %q", href)
	}
	for _, id := range []string{"none", "bad", "l2", "nothing"} {
		if href, ok := p.Link(id); ok {
			t.Errorf("%s leads to %q", id, href)
		}
	}
}

// TestPagesThatAreNotHTML have a body and nothing else.
func TestPagesThatAreNotHTML(t *testing.T) {
	w := &web{origins: map[string]http.HandlerFunc{"https://a.example": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"a":"<form id=f>"}`))
	}}}
	p := open(t, on(w), "https://a.example/")
	if _, ok := p.Form("f"); ok || p.Text() != "" || p.Title != "" || p.Has("f") || len(p.Body) == 0 {
		t.Errorf("page %+v", p)
	}
	if _, ok := p.ByID("f"); ok {
		t.Error("an element in JSON")
	}
}

// FuzzPage reads pages that strangers wrote. Whatever is in them, forms have an absolute action and named fields, and
// reading changes nothing.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`<form id=f method=post action=/x><input name=a value=1><button id=b formaction=//other.example/>x</button></form>`,
		`<form id=f><select name=s><option selected>x<option></select><textarea name=t>a</textarea><fieldset disabled><input name=n></fieldset>`,
		`<input form=f name=x><form id=f></form><form id=f>`, `<a id=f href="http://[::1">x</a>`, `<table><form id=f><tr><td><input name=q></table>`, `<template><form id=f>`, "\x00<", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		b := browser.New(browser.Config{HTTPClient: &http.Client{Transport: &web{origins: map[string]http.HandlerFunc{"https://a.example": page(body)}}}})
		p, err := b.Open(t.Context(), "https://a.example/")
		if err != nil {
			t.Fatal(err)
		}
		first, text := "", p.Text()
		for range 2 {
			form, ok := p.Form("f")
			if !ok {
				break
			}
			if u, err := url.Parse(form.Action); err != nil || !u.IsAbs() {
				t.Fatalf("action %q: %v", form.Action, err)
			}
			if _, named := form.Values[""]; named || form.Method != http.MethodGet && form.Method != http.MethodPost {
				t.Fatalf("form %+v", form)
			}
			if first != "" && first != form.Values.Encode() {
				t.Fatalf("read twice: %q and %q", first, form.Values.Encode())
			}
			first = form.Values.Encode()
		}
		p.Link("f")
		if utf8.ValidString(body) && p.Text() != text {
			t.Fatal("the text changed")
		}
	})
}
