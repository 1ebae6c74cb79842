package browser

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Form is a form with the values that it would send untouched.
type Form struct {
	ID       string
	Action   string // absolute
	Method   string // GET or POST
	Encoding string // enctype; "" is application/x-www-form-urlencoded
	Values   url.Values

	page *Page
}

func (f *Form) with(change url.Values) url.Values {
	values := url.Values{}
	for _, from := range []url.Values{f.Values, change} {
		for name, list := range from {
			values[name] = slices.Clone(list)
		}
	}
	return values
}

// Form returns the form that has the id, or holds the element with the id, or whose action ends in it. Where the id is
// a submit button's, that button is the one pressed: its name and value are sent, and its formaction counts.
func (p *Page) Form(id string) (*Form, bool) {
	if id == "" || p.root == nil {
		return nil, false
	}
	var button *html.Node
	n := p.element(id)
	if n != nil && submits(n) {
		button = n
	}
	owner := p.owner(n)
	if owner == nil {
		owner = find(p.root, func(n *html.Node) bool { return n.Data == "form" && strings.HasSuffix(attr(n, "action"), id) })
	}
	if owner == nil {
		return nil, false
	}
	return p.read(owner, button)
}

// owner is the form that an element belongs to: by its form attribute, or as its ancestor (HTML §4.10.18.3).
func (p *Page) owner(n *html.Node) *html.Node {
	if n != nil && has(n, "form") && n.Data != "form" {
		return find(p.root, func(f *html.Node) bool { return f.Data == "form" && attr(f, "id") == attr(n, "form") })
	}
	for n != nil && (n.Type != html.ElementNode || n.Data != "form") {
		n = n.Parent
	}
	return n
}

func (p *Page) read(form, button *html.Node) (*Form, bool) {
	f := &Form{ID: attr(form, "id"), Method: http.MethodGet, Encoding: strings.ToLower(attr(form, "enctype")), Values: url.Values{}, page: p}
	method, action := attr(form, "method"), attr(form, "action")
	if button != nil {
		if has(button, "formmethod") {
			method = attr(button, "formmethod")
		}
		if has(button, "formaction") {
			action = attr(button, "formaction")
		}
	}
	if strings.EqualFold(method, "post") {
		f.Method = http.MethodPost
	}
	to, err := p.URL.Parse(strings.TrimSpace(action))
	if err != nil {
		return nil, false
	}
	f.Action = to.String()
	p.collect(p.root, form, f.Values)
	if button != nil && attr(button, "name") != "" && !has(button, "disabled") {
		f.Values.Add(attr(button, "name"), attr(button, "value"))
	}
	return f, true
}

// collect reads the fields of a form as they stand (HTML §4.10.22.4), wherever they are on the page.
func (p *Page) collect(n, form *html.Node, into url.Values) {
	if n.Type == html.ElementNode {
		if n.Data == "fieldset" && has(n, "disabled") || n.Data == "datalist" || n.Data == "template" {
			return
		}
		if name := attr(n, "name"); name != "" && !has(n, "disabled") && field(n.Data) && p.owner(n) == form {
			addField(n, name, into)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.collect(c, form, into)
	}
}

func field(element string) bool {
	return element == "input" || element == "textarea" || element == "select"
}

func addField(n *html.Node, name string, into url.Values) {
	switch n.Data {
	case "input":
		addInput(n, name, into)
	case "textarea":
		into.Add(name, strings.ReplaceAll(rawText(n), "\n", "\r\n"))
	case "select":
		addSelect(n, name, into)
	}
}

func addInput(n *html.Node, name string, into url.Values) {
	switch strings.ToLower(attr(n, "type")) {
	case "submit", "image", "button", "reset", "file":
	case "radio", "checkbox":
		if !has(n, "checked") {
			return
		}
		if !has(n, "value") {
			into.Add(name, "on")
			return
		}
		into.Add(name, attr(n, "value"))
	default:
		into.Add(name, attr(n, "value"))
	}
}

// addSelect adds the chosen options; a list of one line has its first chosen when none is.
func addSelect(n *html.Node, name string, into url.Values) {
	var options, chosen []*html.Node
	find(n, func(o *html.Node) bool {
		if o.Data == "option" && !has(o, "disabled") {
			options = append(options, o)
			if has(o, "selected") {
				chosen = append(chosen, o)
			}
		}
		return false
	})
	if !has(n, "multiple") {
		switch {
		case len(chosen) > 0:
			chosen = chosen[len(chosen)-1:]
		case len(options) > 0:
			chosen = options[:1]
		}
	}
	for _, o := range chosen {
		if has(o, "value") {
			into.Add(name, attr(o, "value"))
		} else {
			into.Add(name, collapse(rawText(o)))
		}
	}
}

// submits reports whether an element is a button that sends its form.
func submits(n *html.Node) bool {
	kind := strings.ToLower(attr(n, "type"))
	return n.Data == "button" && kind != "button" && kind != "reset" || n.Data == "input" && (kind == "submit" || kind == "image")
}
