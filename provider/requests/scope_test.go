package requests_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// What the server reads as a scope is what it lists, and nothing is granted twice.
func FuzzScope(f *testing.F) {
	f.Add("openid recovery groups")
	f.Add("openid openid  recovery")
	f.Add("openid\x00recovery")
	f.Fuzz(func(t *testing.T, scope string) {
		b := setUp(t)
		form := request()
		form.Set("scope", scope)
		read, err := readForm(t, http.MethodPost, form.Encode())
		if err != nil {
			return
		}
		a, err := b.read(read)
		if err != nil {
			return
		}
		granted := strings.Fields(a.Form.Get("scope"))
		if !slices.Contains(granted, "openid") || len(granted) > 2 || len(granted) == 2 && !slices.Contains(granted, "recovery") {
			t.Errorf("%q grants %q", scope, granted)
		}
	})
}
