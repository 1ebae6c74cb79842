package authenticator_test

import (
	"net/http"
	"slices"
	"strings"
)

// set and unset are hooks.
func set(name string, value any) func(map[string]any) {
	return func(m map[string]any) { m[name] = value }
}

func unset(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }

// within applies a hook to a member that is an object.
func within(name string, hook func(map[string]any)) func(map[string]any) {
	return func(m map[string]any) { hook(m[name].(map[string]any)) }
}

// answer is a hook that answers at a path.
func answer(path string, status int, kind, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// issuedBy is a field of a descriptor.
func issuedBy(pattern string) map[string]any {
	return map[string]any{"path": []string{"$.issuer", "$.iss"}, "filter": map[string]any{"type": "string", "pattern": pattern}}
}

// names lists the names of the members, sorted.
func names(members map[string]any) string {
	var all []string
	for name := range members {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
