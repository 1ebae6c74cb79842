package dcql_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"regain/presentation/dcql"
)

type members = map[string]any

// pair is a generated query with what a wallet shows for each of its ids, both as the npm package dcql takes them.
type pair struct {
	Query        members              `json:"query"`
	Presentation map[string][]members `json:"presentation"`
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// rarely is true of one in n.
func rarely(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

func generate(r *rand.Rand) pair {
	p := pair{Query: members{}, Presentation: map[string][]members{}}
	var credentials []members
	ids := []string{"a", "b", "c", "d"}[:1+r.IntN(4)]
	for _, id := range ids {
		c := generateCredential(r, id)
		credentials = append(credentials, c)
		if rarely(r, 4) {
			continue
		}
		p.Presentation[id] = []members{}
		for range howMany(r, c["multiple"] == true) {
			p.Presentation[id] = append(p.Presentation[id], generateHeld(r, c["format"].(string)))
		}
	}
	if rarely(r, 50) {
		p.Presentation["unknown"] = []members{generateHeld(r, dcql.FormatSDJWT)}
	}
	p.Query["credentials"] = credentials
	if !rarely(r, 3) {
		var sets []members
		for range 1 + r.IntN(3) {
			sets = append(sets, generateSet(r, ids))
		}
		p.Query["credential_sets"] = sets
	}
	return p
}

func howMany(r *rand.Rand, multiple bool) int {
	switch {
	case rarely(r, 60):
		return 0
	case multiple:
		return 1 + r.IntN(3)
	case rarely(r, 60):
		return 2
	}
	return 1
}

func generateSet(r *rand.Rand, ids []string) members {
	var options [][]string
	for range 1 + r.IntN(3) {
		option := slices.Clone(ids)
		r.Shuffle(len(option), func(i, j int) { option[i], option[j] = option[j], option[i] })
		options = append(options, option[:1+r.IntN(len(option))])
	}
	set := members{"options": options}
	if rarely(r, 3) {
		set["required"] = pick(r, true, false, false)
	}
	return set
}

func generateCredential(r *rand.Rand, id string) members {
	c := members{"id": id, "format": pick(r, dcql.FormatSDJWT, dcql.FormatMdoc, dcql.FormatJWTVC, dcql.FormatLDPVC)}
	paths := [][]any{{"a"}, {"a"}, {"b"}, {"c"}, {"d"}, {"d", "e"}, {"d", "f", nil}, {"d", "f", 0}, {"d", "f", 1}, {"g", 1}, {"g", nil}, {"h", nil, "t"}, {"h", 1, "t"}, {"d", "missing"}}
	switch c["format"] {
	case dcql.FormatSDJWT:
		c["meta"] = members{"vct_values": pick(r, []string{"urn:one"}, []string{"urn:two", "urn:one"})}
	case dcql.FormatMdoc:
		c["meta"] = members{"doctype_value": "org.one"}
		paths = [][]any{{"ns", "a"}, {"ns", "b"}, {"ns", "c"}, {"ns", "a"}, {"ns", "b"}, {"ns", "missing"}, {"other", "a"}}
	default:
		c["meta"] = members{"type_values": pick(r, [][]string{{"urn:one"}}, [][]string{{"urn:one", "urn:two"}, {"urn:three"}})}
	}
	if rarely(r, 3) {
		c["multiple"] = pick(r, true, true, false)
	}
	if rarely(r, 4) {
		c["require_cryptographic_holder_binding"] = pick(r, true, false)
	}
	if rarely(r, 6) {
		c["trusted_authorities"] = pick(r, []members{{"type": "aki", "values": []string{"AQID"}}},
			[]members{{"type": "etsi_tl", "values": []string{"https://list.example.org"}}, {"type": "aki", "values": []string{"s9tI", "AQID"}}})
	}
	generateClaims(r, c, paths)
	return c
}

func generateClaims(r *rand.Rand, c members, paths [][]any) {
	r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	paths = slices.CompactFunc(paths[:r.IntN(4)], func(a, b []any) bool { return slices.Equal(a, b) })
	if len(paths) == 3 && slices.Equal(paths[0], paths[2]) {
		paths = paths[:2]
	}
	var claims []members
	var names []string
	for i, path := range paths {
		claim := members{"id": "c" + strconv.Itoa(i), "path": path}
		if rarely(r, 3) && path[len(path)-1] != 0 { // see TestAgainstNPMWhereItDiffers
			claim["values"] = pick(r, []any{"x"}, []any{1, 2, "x"}, []any{true, "x"}, []any{"y", 1, true, "x"}, []any{"z"})
		}
		names = append(names, "c"+strconv.Itoa(i))
		claims = append(claims, claim)
	}
	if len(claims) == 0 {
		return
	}
	c["claims"] = claims
	if rarely(r, 2) {
		c["claim_sets"] = pick(r, [][]string{names}, [][]string{names, names[:1]}, [][]string{names[:1], names[len(names)-1:], names})
	}
}

// generateHeld is a credential of a format, usually, from which parts are missing. No array is empty: npm fails to say
// why an index is not in it.
func generateHeld(r *rand.Rand, format string) members {
	if rarely(r, 20) {
		format = pick(r, dcql.FormatSDJWT, dcql.FormatMdoc, dcql.FormatJWTVC, dcql.FormatLDPVC)
	}
	claims := members{
		"a": pick(r, "x", "x", "y"), "b": pick[any](r, 1, 2, "1", "x"), "c": pick(r, true, false),
		"d": members{"e": "y", "f": []any{1, "x"}}, "g": pick(r, []any{"x", 2}, []any{2, "x"}), "h": []any{members{"t": "x"}, members{"u": 1}},
	}
	for _, name := range []string{"a", "b", "c", "d", "g", "h"} {
		if rarely(r, 12) {
			delete(claims, name)
		}
	}
	h := members{"credential_format": format, "cryptographic_holder_binding": !rarely(r, 20)}
	if rarely(r, 2) {
		h["authority"] = members{"type": "aki", "values": []string{pick(r, "AQID", "s9tI", "AAAA")}}
	}
	switch format {
	case dcql.FormatSDJWT:
		h["vct"], h["claims"] = pick(r, "urn:one", "urn:one", "urn:one", "urn:one", "urn:two", "urn:three"), claims
	case dcql.FormatMdoc:
		for _, name := range []string{"d", "g", "h"} {
			delete(claims, name)
		}
		h["doctype"], h["namespaces"] = pick(r, "org.one", "org.one", "org.one", "org.one", "org.two"), members{"ns": claims}
	default:
		h["type"] = pick(r, []string{"urn:one"}, []string{"urn:one", "urn:two"}, []string{"urn:two", "urn:one", "urn:three"}, []string{"urn:two"})
		h["claims"] = claims
	}
	return h
}

// read is the pair as this package takes it. Elements may be missing from arrays: so npm reads presentations.
func (p pair) read(t testing.TB) (dcql.Query, answer) {
	t.Helper()
	query, errQuery := json.Marshal(p.Query)
	shown, errShown := json.Marshal(p.Presentation)
	decoder := json.NewDecoder(bytes.NewReader(shown))
	decoder.UseNumber()
	var all map[string][]struct {
		CredentialFormat string   `json:"credential_format"`
		VCT              string   `json:"vct"`
		Doctype          string   `json:"doctype"`
		Type             []string `json:"type"`
		Claims           members  `json:"claims"`
		Namespaces       members  `json:"namespaces"`
		Bound            bool     `json:"cryptographic_holder_binding"`
		Authority        struct {
			Values []string `json:"values"`
		} `json:"authority"`
	}
	if err := errors.Join(errQuery, errShown, decoder.Decode(&all)); err != nil {
		t.Fatal(err)
	}
	a := answer{}
	for id, list := range all {
		a[id] = nil
		for _, h := range list {
			held := dcql.Presentation{
				CredentialFormat: h.CredentialFormat, Types: h.Type, Claims: h.Claims, HolderBound: h.Bound, Withheld: true, AuthorityKeyIDs: h.Authority.Values,
			}
			if one := h.VCT + h.Doctype; one != "" {
				held.Types = []string{one}
			}
			if h.Namespaces != nil {
				held.Claims = h.Namespaces
			}
			a[id] = append(a[id], held)
		}
	}
	return parse(t, string(query)), a
}

// TestEvaluateGenerated holds, of thousands of answers, what is true of each.
func TestEvaluateGenerated(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		q, a := generate(r).read(t)
		e, err := q.Evaluate(a)
		checkVerdict(t, e, err, err == nil)
		var matched []string
		for i, c := range q.Credentials {
			for j, p := range e.Credentials[i].Presentations {
				held := a[c.ID][j]
				held.Withheld = false
				exact, _ := dcql.Query{Credentials: []dcql.Credential{c}}.Evaluate(answer{c.ID: {held}})
				claims := slices.ContainsFunc(exact.Credentials[0].Presentations[0].Mismatches, func(f dcql.Finding) bool {
					return f.Rule == dcql.RuleClaims || f.Rule == dcql.RuleValues
				})
				if missing := c.Missing(held.Claims); (missing != nil) != claims {
					t.Fatalf("Missing says %v, and Evaluate %v", missing, exact)
				}
				if exact.Satisfied && len(p.Mismatches) > 0 {
					t.Fatalf("what matches exactly does not when elements may be withheld: %v", p.Mismatches)
				}
			}
			if len(e.Matching(c.ID)) > 0 {
				matched = append(matched, c.ID)
			}
		}
		if e.Satisfied && q.Missing(matched) != nil || !e.Satisfied && e.Unasked == 0 && q.Missing(matched) == nil && !spoiled(e) {
			t.Fatalf("%v matched, and %+v", matched, e)
		}
		if t.Failed() {
			return
		}
	}
}

// spoiled reports whether an entry has the wrong number of presentations.
func spoiled(e dcql.Evaluation) bool {
	return slices.ContainsFunc(e.Credentials, func(c dcql.CredentialVerdict) bool { return len(c.Mismatches) > 0 })
}
