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
	Status    int // 0: the browser stopped before this URL
	Header    http.Header
	Body      []byte
	Title     string
	Redirects []string // the URLs that led here after the first

	root *html.Node
}

// Form is a form with the values that it would send untouched.
type Form struct {
	ID, Action, Method string
	Values             url.Values
}

func (p *Page) parse() {
	root, err := html.Parse(bytes.NewReader(p.Body))
	if err != nil {
		return
	}
	p.root = root
	if title := find(root, func(n *html.Node) bool { return n.Data == "title" }); title != nil {
		p.Title = text(title)
	}
}

// find returns the first element for which want is true.
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

func text(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style") {
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p *Page) byID(id string) *html.Node {
	return find(p.root, func(n *html.Node) bool { return attr(n, "id") == id })
}

// Has reports whether the page has an element with the id.
func (p *Page) Has(id string) bool { return p.byID(id) != nil }

// Text returns the text of the page's body.
func (p *Page) Text() string {
	body := find(p.root, func(n *html.Node) bool { return n.Data == "body" })
	if body == nil {
		return ""
	}
	return text(body)
}

// TextOf returns the text of an element.
func (p *Page) TextOf(id string) (string, bool) {
	n := p.byID(id)
	if n == nil {
		return "", false
	}
	return text(n), true
}

// Attr returns an attribute of an element, "" if either is missing.
func (p *Page) Attr(id, name string) string {
	n := p.byID(id)
	if n == nil {
		return ""
	}
	return attr(n, name)
}

// Link returns where the link with the id leads, made absolute.
func (p *Page) Link(id string) (string, bool) {
	n := p.byID(id)
	if n == nil || n.Data != "a" {
		return "", false
	}
	u, err := p.URL.Parse(attr(n, "href"))
	if err != nil {
		return "", false
	}
	return u.String(), true
}

// Form returns the form that has the id, or that holds the element with the id, or whose action ends in it. When the
// id is a submit button's, its name and value are sent too.
func (p *Page) Form(id string) (*Form, bool) {
	n := p.byID(id)
	var button *html.Node
	if n != nil && n.Data == "button" {
		button = n
	}
	for n != nil && !(n.Type == html.ElementNode && n.Data == "form") {
		n = n.Parent
	}
	if n == nil {
		n = find(p.root, func(n *html.Node) bool { return n.Data == "form" && strings.HasSuffix(attr(n, "action"), id) })
	}
	if n == nil {
		return nil, false
	}
	f := &Form{ID: attr(n, "id"), Method: http.MethodGet, Values: url.Values{}}
	if strings.EqualFold(attr(n, "method"), "post") {
		f.Method = http.MethodPost
	}
	action, err := p.URL.Parse(attr(n, "action"))
	if err != nil {
		return nil, false
	}
	f.Action = action.String()
	collect(n, f.Values)
	if button != nil && attr(button, "name") != "" {
		f.Values.Set(attr(button, "name"), attr(button, "value"))
	}
	return f, true
}

// collect reads the fields of a form as they stand (HTML Living Standard §4.10.22.4).
func collect(n *html.Node, into url.Values) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && attr(c, "name") != "" && !has(c, "disabled") {
			name := attr(c, "name")
			switch c.Data {
			case "input":
				switch kind := attr(c, "type"); {
				case (kind == "radio" || kind == "checkbox") && !has(c, "checked"), kind == "submit", kind == "file", kind == "image":
				default:
					into.Add(name, attr(c, "value"))
				}
			case "textarea":
				into.Add(name, text(c))
			case "select":
				collectSelect(c, name, into)
			}
		}
		collect(c, into)
	}
}

func collectSelect(n *html.Node, name string, into url.Values) {
	chosen := find(n, func(o *html.Node) bool { return o.Data == "option" && has(o, "selected") })
	if chosen == nil {
		chosen = find(n, func(o *html.Node) bool { return o.Data == "option" })
	}
	if chosen != nil {
		into.Add(name, attr(chosen, "value"))
	}
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
