package browser_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"regain/conformance/browser"
)

// TestFormValues reads what a form sends untouched (HTML §4.10.22.4).
func TestFormValues(t *testing.T) {
	for name, c := range map[string]struct {
		fields string
		want   url.Values
	}{
		"text":               {`<input name=a value=1><input name=b type=hidden value=2><input name=c type=PASSWORD value=3>`, url.Values{"a": {"1"}, "b": {"2"}, "c": {"3"}}},
		"no value":           {`<input name=a>`, url.Values{"a": {""}}},
		"no name":            {`<input value=1>`, url.Values{}},
		"twice":              {`<input name=a value=1><p><input name=a value=2></p>`, url.Values{"a": {"1", "2"}}},
		"disabled":           {`<input name=a value=1 disabled>`, url.Values{}},
		"disabled fieldset":  {`<fieldset disabled><input name=a></fieldset><fieldset><input name=b></fieldset>`, url.Values{"b": {""}}},
		"radio":              {`<input type=radio name=a value=1><input type=radio name=a value=2 checked>`, url.Values{"a": {"2"}}},
		"checkbox":           {`<input type=checkbox name=a checked><input type=checkbox name=b value=1>`, url.Values{"a": {"on"}}},
		"checkbox, no value": {`<input type=checkbox name=a checked value="">`, url.Values{"a": {""}}},
		"buttons":            {`<button name=a value=1>x</button><input type=submit name=b value=2><input type=reset name=c><input type=button name=d><input type=image name=e>`, url.Values{}},
		"file":               {`<input type=file name=a>`, url.Values{}},
		"textarea":           {"<textarea name=a>\none\ntwo</textarea>", url.Values{"a": {"one\r\ntwo"}}},
		"select, first":      {`<select name=a><option value=1>x<option value=2>y</select>`, url.Values{"a": {"1"}}},
		"select, chosen":     {`<select name=a><option value=1>x<option value=2 selected>y</select>`, url.Values{"a": {"2"}}},
		"select, text":       {`<select name=a><option> x  y </select>`, url.Values{"a": {"x y"}}},
		"select, none on":    {`<select name=a><option disabled value=1>x</select>`, url.Values{}},
		"select, many":       {`<select name=a multiple><option value=1 selected>x<option value=2 selected>y<option value=3>z</select>`, url.Values{"a": {"1", "2"}}},
		"select, many, none": {`<select name=a multiple><option value=1>x</select>`, url.Values{}},
		"datalist, template": {`<datalist><input name=a></datalist><template><input name=b></template>`, url.Values{}},
	} {
		t.Run(name, func(t *testing.T) {
			form, ok := parsed(t, `<form id=f>`+c.fields+`</form><form id=g><input name=other></form>`).Form("f")
			if !ok || !reflect.DeepEqual(form.Values, c.want) {
				t.Errorf("%v, want %v", form, c.want)
			}
		})
	}
}

func TestFormIsFound(t *testing.T) {
	p := parsed(t, `
		<form id=one action=/a/recover method=POST><button id=b1 name=way value=fast>x</button><button id=b2 formaction=/b formmethod=get>y</button>
		<button id=b3 type=button name=no value=no>z</button><input id=i name=i value=v></form>
		<form id=two><input id=far-away form=one name=far value=1></form><button id=outside form=two name=o value=1>x</button>
		<p id=p></p><input id=lost form=nothing>`)
	for id, want := range map[string]*browser.Form{
		"one":        {ID: "one", Action: "https://a.example/a/recover", Method: "POST", Values: url.Values{"i": {"v"}, "far": {"1"}}},
		"b1":         {ID: "one", Action: "https://a.example/a/recover", Method: "POST", Values: url.Values{"i": {"v"}, "far": {"1"}, "way": {"fast"}}},
		"b2":         {ID: "one", Action: "https://a.example/b", Method: "GET", Values: url.Values{"i": {"v"}, "far": {"1"}}},
		"b3":         {ID: "one", Action: "https://a.example/a/recover", Method: "POST", Values: url.Values{"i": {"v"}, "far": {"1"}}},
		"/recover":   {ID: "one", Action: "https://a.example/a/recover", Method: "POST", Values: url.Values{"i": {"v"}, "far": {"1"}}},
		"two":        {ID: "two", Action: "https://a.example/dir/page?q=1", Method: "GET", Values: url.Values{}},
		"outside":    {ID: "two", Action: "https://a.example/dir/page?q=1", Method: "GET", Values: url.Values{"o": {"1"}}},
		"p":          nil,
		"lost":       nil,
		"/no-action": nil,
		"":           nil,
	} {
		got, ok := p.Form(id)
		if ok != (want != nil) {
			t.Errorf("%q: found %t", id, ok)
			continue
		}
		if ok && (got.ID != want.ID || got.Action != want.Action || got.Method != want.Method || !reflect.DeepEqual(got.Values, want.Values)) {
			t.Errorf("%q: %+v, want %+v", id, got, want)
		}
	}
}

func TestSubmit(t *testing.T) {
	w := &web{origins: map[string]http.HandlerFunc{"https://a.example": page(`
		<form id=post method=post action="/do?keep=1"><input name=a value=1><input name=b value=2></form>
		<form id=get action="/do?drop=1#part"><input name=a value=1></form>
		<form id=files method=post enctype=multipart/form-data></form>`)}}
	b := on(w)
	p := open(t, b, "https://a.example/")
	if _, err := submit(t, b, p, "post", url.Values{"a": {"changed"}, "b": nil, "c": {"3"}}); err != nil {
		t.Fatal(err)
	}
	if r := w.last(); r.Method != http.MethodPost || r.URL.RawQuery != "keep=1" || !reflect.DeepEqual(r.PostForm, url.Values{"a": {"changed"}, "c": {"3"}}) {
		t.Errorf("%s %s %v", r.Method, r.URL, r.PostForm)
	}
	shown, err := submit(t, b, p, "get", nil)
	if err != nil || w.last().URL.String() != "https://a.example/do?a=1" || shown.URL.Fragment != "part" {
		t.Errorf("%s, %v", w.last().URL, err)
	}
	if _, err := submit(t, b, p, "files", nil); err == nil {
		t.Error("a form with files was sent as text")
	}
	form, _ := p.Form("post")
	if form.Values.Get("a") != "1" {
		t.Error("a change of one submission changed the form")
	}
	if _, err := b.Submit(t.Context(), nil, nil); err == nil {
		t.Error("no form was sent")
	}
	if _, err := b.Submit(t.Context(), &browser.Form{Action: "https://a.example/by-hand", Method: "POST"}, nil); err != nil || w.last().Header.Get("Sec-Fetch-Site") != "same-origin" {
		t.Errorf("a form made by hand: %v", err)
	}
}

// TestFormAction is CSP3 §6.1.10 as Chromium does it: redirects are asked about too.
func TestFormAction(t *testing.T) {
	const from = "https://a.example"
	for name, c := range map[string]struct {
		policy, action, then string
		ok                   bool
	}{
		"no policy":               {"", "https://b.example/", "", true},
		"nothing about forms":     {"default-src 'none'", "https://b.example/", "", true},
		"self":                    {"form-action 'self'", from + "/do", "", true},
		"self is not others":      {"form-action 'self'", "https://b.example/", "", false},
		"none":                    {"form-action 'none'", from + "/do", "", false},
		"empty is none":           {"form-action", from + "/do", "", false},
		"named":                   {"form-action https://b.example", "https://b.example/x", "", true},
		"another port":            {"form-action https://b.example", "https://b.example:8443/x", "", false},
		"named without scheme":    {"form-action b.example", "https://b.example/", "", true},
		"http allows https":       {"form-action http://b.example", "https://b.example/", "", true},
		"https allows no http":    {"form-action https://b.example", "http://b.example/", "", false},
		"hosts below":             {"form-action https://*.example", "https://b.example/", "", true},
		"hosts below, another":    {"form-action https://*.other", "https://b.example/", "", false},
		"any":                     {"form-action *", "https://b.example/", "", true},
		"a scheme":                {"form-action https:", "https://b.example/", "", true},
		"another scheme":          {"form-action http:", "https://b.example/", "", false},
		"the first of two counts": {"form-action 'none'; form-action *", from + "/do", "", false},
		"two policies both count": {"form-action *, form-action 'self'", "https://b.example/", "", false},
		"redirected where it may": {"form-action 'self' https://b.example", from + "/do", "https://b.example/", true},
		"redirected elsewhere":    {"form-action 'self'", from + "/do", "https://b.example/", false},
		"capitals":                {"Form-Action 'SELF'", from + "/do", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			answer := at(map[string]http.HandlerFunc{
				"/start": page(`<form id=f method=post action="`+c.action+`"></form>`, "Content-Security-Policy", c.policy), "/": page(""), "/x": page(""), "/do": page(""),
			})
			if c.then != "" {
				answer = at(map[string]http.HandlerFunc{
					"/start": page(`<form id=f method=post action="`+c.action+`"></form>`, "Content-Security-Policy", c.policy), "/do": redirect(303, c.then), "/": page(""),
				})
			}
			w := &web{origins: map[string]http.HandlerFunc{from: answer, "https://b.example": answer, "http://b.example": answer, "https://b.example:8443": answer}}
			b := on(w)
			_, err := submit(t, b, open(t, b, from+"/start"), "f", nil)
			if (err == nil) != c.ok {
				t.Errorf("%v", err)
			}
			if err != nil && !strings.Contains(err.Error(), browser.ErrFormAction.Error()) {
				t.Errorf("another error: %v", err)
			}
		})
	}
}
