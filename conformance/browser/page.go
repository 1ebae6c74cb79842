package browser

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Page is what the browser shows.
type Page struct {
	URL       *url.URL
	Status    int // 0: the browser stopped before it requested URL
	Header    http.Header
	Body      []byte
	Title     string
	Redirects []string // where the navigation was redirected to, in order; the last is URL

	root *html.Node
}

// parse reads the body as a browser with scripts off does: what is in <noscript> counts.
func (p *Page) parse() {
	root, err := html.ParseWithOptions(bytes.NewReader(p.Body), html.ParseOptionEnableScripting(false))
	if err != nil {
		return // the page is shown without elements
	}
	p.root = root
	if title := find(root, func(n *html.Node) bool { return n.Data == "title" }); title != nil {
		p.Title = collapse(rawText(title))
	}
}

// Text returns the visible text of the page, with white space collapsed.
func (p *Page) Text() string {
	body := find(p.root, func(n *html.Node) bool { return n.Data == "body" })
	if body == nil {
		return ""
	}
	return visible(body)
}

// ByID returns the visible text of the element with the id, and whether there is one.
func (p *Page) ByID(id string) (string, bool) {
	n := p.element(id)
	if n == nil {
		return "", false
	}
	return visible(n), true
}

// Has reports whether there is an element with the id.
func (p *Page) Has(id string) bool { return p.element(id) != nil }

// Attr returns an attribute of the element with the id, "" if either is missing.
func (p *Page) Attr(id, name string) string {
	n := p.element(id)
	if n == nil {
		return ""
	}
	return attr(n, name)
}

// Link returns where the link with the id leads, made absolute.
func (p *Page) Link(id string) (href string, ok bool) {
	n := p.element(id)
	if n == nil || n.Data != "a" || !has(n, "href") {
		return "", false
	}
	u, err := p.URL.Parse(attr(n, "href"))
	if err != nil {
		return "", false
	}
	return u.String(), true
}

// refresh returns where the page navigates at once by itself, "" if it stays (HTML Living Standard, "Refresh state").
func (p *Page) refresh() string {
	n := find(p.root, func(n *html.Node) bool {
		return n.Data == "meta" && strings.EqualFold(attr(n, "http-equiv"), "refresh")
	})
	if n == nil {
		return ""
	}
	delay, target, _ := strings.Cut(attr(n, "content"), ";")
	name, address, ok := strings.Cut(strings.TrimSpace(target), "=")
	if strings.TrimSpace(delay) != "0" || !ok || !strings.EqualFold(name, "url") {
		return ""
	}
	return address
}

func (p *Page) element(id string) *html.Node {
	if id == "" {
		return nil
	}
	return find(p.root, func(n *html.Node) bool { return attr(n, "id") == id })
}

// find returns the first element in tree order for which want is true.
func find(n *html.Node, want func(*html.Node) bool) *html.Node {
	if n == nil {
		return nil
	}
	if n.Type == html.ElementNode && want(n) {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := find(c, want); found != nil {
			return found
		}
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// visible is the text that a person sees in an element. Style sheets are not read: only what HTML itself hides is
// left out.
func visible(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data)
			return
		case n.Type == html.ElementNode && hidden(n):
			return
		case n.Type == html.ElementNode && !inline(n.Data):
			b.WriteByte(' ')
			defer b.WriteByte(' ')
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return collapse(b.String())
}

func hidden(n *html.Node) bool {
	switch n.Data {
	case "script", "style", "template", "head", "datalist":
		return true
	}
	return has(n, "hidden")
}

// inline reports whether an element stands within a line, so that its text joins that of its neighbours.
func inline(name string) bool {
	switch name {
	case "a", "abbr", "b", "bdi", "cite", "code", "em", "i", "kbd", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr":
		return true
	}
	return false
}

func rawText(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }
