package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"regain/internal/costtest"
	"regain/presentation"
	"regain/provider/facetest"
	"regain/provider/web"
	"regain/recovery"
)

// upTo repeats a text up to a length.
func upTo(size int, each func(i int) string) string {
	var b strings.Builder
	for i := 0; ; i++ {
		next := each(i)
		if b.Len()+len(next) > size {
			return b.String()
		}
		b.WriteString(next)
	}
}

func again(text string) func(int) string { return func(int) string { return text } }

// The largest forms that an endpoint takes, a wallet's, and one that is too large.
func TestWorstForms(t *testing.T) {
	e := facetest.New(t, nil)
	e.Router.POST("/form", func(c *gin.Context) {
		_, _ = web.ReadForm(c, presentation.MaxForm)
	})
	for name, body := range map[string]string{
		"empty parameters":    upTo(presentation.MaxForm, again("&")),
		"names":               upTo(presentation.MaxForm, func(i int) string { return fmt.Sprintf("%x&", i) }),
		"the most names":      upTo(50_000, func(i int) string { return fmt.Sprintf("%04x&", i) })[:9_999*5],
		"the most of a name":  strings.Repeat("a=&", 9_999),
		"one name":            upTo(presentation.MaxForm, again("a=&")),
		"escapes":             "a=" + upTo(presentation.MaxForm-2, again("%41")),
		"one value":           "a=" + upTo(presentation.MaxForm-2, again("a")),
		"a malformed escape":  upTo(presentation.MaxForm, again("%&")),
		"semicolons":          upTo(presentation.MaxForm, again(";&")),
		"as large as can be":  "a=" + upTo(presentation.MaxForm-2, again("+")),
		"larger than can be":  upTo(2*presentation.MaxForm, again("a=b&")),
		"names of many bytes": upTo(presentation.MaxForm, func(i int) string { return fmt.Sprintf("%01000x=&", i) }),
	} {
		costtest.Check(t, name, func() {
			r := httptest.NewRequest(http.MethodPost, "/form", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			e.Log.Reset()
			e.Do(r)
		})
	}
	multipart := upTo(presentation.MaxForm, func(i int) string {
		return fmt.Sprintf("--x\r\nContent-Disposition: form-data; name=\"%x\"\r\n\r\n\r\n", i)
	}) + "--x--\r\n"
	costtest.Check(t, "multipart", func() {
		r := httptest.NewRequest(http.MethodPost, "/form", strings.NewReader(multipart))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		e.Do(r)
	})
}

// The most that the headers of a request, 32 KiB, can make of cookies and of the list of proxies, at a page that reads them.
func TestWorstHeaders(t *testing.T) {
	const most = 32 << 10
	e := facetest.New(t, nil)
	s := e.Start(t)
	e.Txn.GET("", e.Binding.Step(func(*gin.Context, recovery.Transaction) error { return nil }))
	for name, header := range map[string]http.Header{
		"cookies":       {"Cookie": {upTo(most, func(i int) string { return fmt.Sprintf("%x=;", i) })}},
		"one cookie":    {"Cookie": {upTo(most, again(s.Cookie.Name+"=x;"))}},
		"long cookie":   {"Cookie": {s.Cookie.Name + "=" + upTo(most-100, again("x"))}},
		"proxies":       {"X-Forwarded-For": {upTo(most, again("1.1.1.1,"))}},
		"commas":        {"X-Forwarded-For": {upTo(most, again(","))}},
		"lines":         {"X-Forwarded-For": strings.Split(upTo(most, again("1.1.1.1,")), ",")},
		"a user agent":  {"User-Agent": {upTo(most, again("Firefox "))}},
		"a language":    {"Accept-Language": {upTo(most, again("en;q=0.1,"))}},
		"a fetch site":  {"Sec-Fetch-Site": {upTo(most, again("same-origin"))}},
		"Host of pairs": {"Forwarded": {upTo(most, again("for=1;"))}},
	} {
		costtest.Check(t, name, func() {
			r := httptest.NewRequest(http.MethodGet, s.Path(""), nil)
			r.Header = header.Clone()
			r.AddCookie(s.Cookie)
			e.Log.Reset()
			e.Do(r)
		})
	}
}
