package dcql_test

import (
	"reflect"
	"strings"
	"testing"

	"regain/presentation/dcql"
)

func TestParsePointer(t *testing.T) {
	for pointer, want := range map[string]string{
		"given_name":                    `["given_name"]`,
		"address/locality":              `["address","locality"]`,
		"org.iso.18013.5.1/family_name": `["org.iso.18013.5.1","family_name"]`,
		"credentialSubject/firstName":   `["credentialSubject","firstName"]`,
		"degrees/0/type":                `["degrees",0,"type"]`,
		"0":                             `[0]`,
		"2147483647":                    `[2147483647]`,
		"nationalities/*":               `["nationalities",null]`,
		"*/*":                           `[null,null]`,
		"007":                           `["007"]`, // no index of RFC 6901
		"-":                             `["-"]`,
		"-1":                            `["-1"]`,
		"1.5":                           `["1.5"]`,
		"**":                            `["**"]`,
		"a~1b":                          `["a/b"]`,
		"a~0b":                          `["a~b"]`,
		"~01":                           `["~1"]`,
		"~0=":                           `["~="]`,
		"~=*":                           `["*"]`,
		"~=7/x":                         `["7","x"]`,
		"~=":                            `[""]`,
		"a/~=/b":                        `["a","","b"]`,
		"with space/ä":                  `["with space","ä"]`,
	} {
		p, err := dcql.ParsePointer(pointer)
		if err != nil || p.String() != want {
			t.Errorf("ParsePointer(%q) = %s, %v, want %s", pointer, p, err, want)
			continue
		}
		if written := p.Pointer(); written != pointer {
			t.Errorf("%s is written %q, want %q", p, written, pointer)
		}
	}
}

func TestParsePointerRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		pointer string
		why     string
	}{
		"nothing":                    {"", "there is an empty name; an empty name is written ~="},
		"a leading slash":            {"/given_name", "there is an empty name; an empty name is written ~="},
		"a trailing slash":           {"address/", "there is an empty name; an empty name is written ~="},
		"two slashes":                {"address//locality", "there is an empty name; an empty name is written ~="},
		"a tilde alone":              {"a~b", "a tilde is written ~0, and a slash ~1"},
		"a tilde at the end":         {"a~", "a tilde is written ~0, and a slash ~1"},
		"an escape that is not one":  {"~2", "a tilde is written ~0, and a slash ~1"},
		"the mark inside a name":     {"a~=b", "a tilde is written ~0, and a slash ~1"},
		"the mark twice":             {"~=~=", "a tilde is written ~0, and a slash ~1"},
		"the mark without need":      {"~=given_name", "it is written \"given_name\""},
		"the mark before no index":   {"~=007", "it is written \"007\""},
		"an index beyond all arrays": {"2147483648", "a name of digits is written with ~= before it"},
		"a very long index":          {strings.Repeat("9", 400), "a name of digits is written with ~= before it"},
		"too many steps":             {strings.Repeat("a/", 16) + "a", "a claims path has 17 steps"},
		"a name that is too long":    {strings.Repeat("a", 1025), "a step of a claims path is negative, too long or not UTF-8"},
		"what is not UTF-8":          {"a\xff", "a step of a claims path is negative, too long or not UTF-8"},
	} {
		if p, err := dcql.ParsePointer(row.pointer); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: ParsePointer(%.40q) = %s, %v", name, row.pointer, p, err)
		}
	}
}

// What is read is written back as it was, and by JSON to the same path.
func FuzzParsePointer(f *testing.F) {
	for _, seed := range []string{"given_name", "a/0/*", "~=0/~=*/~=", "~0~1/-/00", "/", "~2", "a\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pointer string) {
		p, err := dcql.ParsePointer(pointer)
		if err != nil {
			return
		}
		if written := p.Pointer(); written != pointer {
			t.Fatalf("%q is written %q", pointer, written)
		}
		again, err := dcql.ParsePath([]byte(p.String()))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%q is JSON %s, read back as %s, %v", pointer, p, again, err)
		}
	})
}

// What is read as JSON is written back as the same JSON, and as a pointer to the same path.
func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{`["name"]`, `["degrees",null,"type"]`, `["a",0,1e0]`, `["","*","7","~/"]`, `["\ud800"]`, `[null]`, `null`, `[-0]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := dcql.ParsePath(raw)
		if err != nil {
			return
		}
		again, err := dcql.ParsePath([]byte(p.String()))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%s read back as %s, %v", p, again, err)
		}
		if again, err := dcql.ParsePointer(p.Pointer()); err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%s as a pointer is %q, read back as %s, %v", p, p.Pointer(), again, err)
		}
	})
}
