package web

import (
	"bytes"
	"testing"
)

type words struct{ Text, Button string }

type base struct {
	Page
	Base, CSRF, Account       string
	MinutesLeft               int
	SignIn, ShowsPass, hidden bool
	words
}

type page struct {
	base
	Verifier string
	Text     string // hides that of words, as it does for Go
}

func example() *page {
	return &page{
		base: base{
			Page: Page{Title: "Recover your account", Organisation: "Example <Organisation>", PolicyURI: "https://example.org/privacy", Correlation: "c", Root: "/r"},
			Base: "/recover/T1", CSRF: "token", Account: "m…@example.org", MinutesLeft: 15, hidden: true, words: words{"hidden", "Go on"},
		},
		Verifier: "Northlight", Text: "shown",
	}
}

type withMethod struct {
	Page
}

func (withMethod) Shout() string { return "!" }

// A page reads the same with its data flat, and its data stays what it is where that cannot be.
func TestPagesReadTheSameFlat(t *testing.T) {
	pages, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"information", "proofing", "expired"} {
		flat := pages.flattener.flat(example())
		if _, same := flat.(*page); same {
			t.Fatalf("%s: the data is not flat", name)
		}
		var want, got bytes.Buffer
		if err := pages.templates[name].ExecuteTemplate(&want, "layout", example()); err != nil {
			t.Fatal(err)
		}
		if err := pages.templates[name].ExecuteTemplate(&got, "layout", flat); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("%s is\n%s\nand flat\n%s", name, want.String(), got.String())
		}
	}
	for _, data := range []Data{&Page{Title: "a"}, &withMethod{}} {
		if flat := pages.flattener.flat(data); flat != any(data) {
			t.Errorf("the data %#v became %#v", data, flat)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	pages, err := newPages()
	if err != nil {
		b.Fatal(err)
	}
	for name, data := range map[string]func() any{
		"embedded": func() any { return example() },
		"flat":     func() any { return pages.flattener.flat(example()) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf bytes.Buffer
			for b.Loop() {
				buf.Reset()
				if err := pages.templates["information"].ExecuteTemplate(&buf, "layout", data()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
