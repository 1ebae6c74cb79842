package people_test

import (
	"bytes"
	"errors"
	"image/jpeg"
	"strings"
	"testing"

	"regain/conformance/people"
)

func TestSamplesAreDistinctAndComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range people.Samples() {
		for _, unique := range []string{p.ID, p.Account, p.DocumentNumber, p.PrintedName()} {
			if unique == "" || seen[unique] {
				t.Errorf("%s: %q is empty or taken", p.ID, unique)
			}
			seen[unique] = true
		}
		if !strings.HasSuffix(p.Account, "@example.org") || p.Meets == "" || len(p.Groups) == 0 {
			t.Errorf("%s: account %q, meets %q, groups %v", p.ID, p.Account, p.Meets, p.Groups)
		}
		if len(p.Birthdate) != 10 || p.DocumentType == "" || p.DirectoryName() == "" {
			t.Errorf("%s: document is incomplete: %+v", p.ID, p.Birthdate)
		}
	}
}

func TestFind(t *testing.T) {
	for _, name := range []string{"ada.lindqvist", "ada.lindqvist@example.org"} {
		if p, ok := people.Find(name); !ok || p.ID != "ada.lindqvist" {
			t.Errorf("Find(%q) = %v, %v", name, p.ID, ok)
		}
	}
	for _, name := range []string{"", "nobody", "ada"} {
		if p, ok := people.Find(name); ok {
			t.Errorf("Find(%q) found %v", name, p.ID)
		}
	}
}

// The demo promises something for each of these: what the data must say for it to come true.
func TestSamplesMeetWhatTheyPromise(t *testing.T) {
	for _, test := range []struct {
		id, group string
		same      bool // the directory's name is the printed one
		light     people.Light
		reported  bool
	}{
		{"ada.lindqvist", "employees", true, people.Good, false},
		{"maria.garcia", "contractors", false, people.Good, false},
		{"tomasz.nowak", "pilot", true, people.Good, false},
		{"jon.bell", "employees", false, people.Good, false},
		{"priya.raman", "employees", true, people.Poor, false},
		{"grace.okafor", "executives", true, people.Good, false},
		{"lena.fischer", "employees", true, people.Good, true},
	} {
		p, ok := people.Find(test.id)
		if !ok {
			t.Fatalf("%s is missing", test.id)
		}
		if p.Groups[0] != test.group || p.Light != test.light || p.Reported != test.reported {
			t.Errorf("%s: groups %v, light %s, reported %v", p.ID, p.Groups, p.Light, p.Reported)
		}
		if same := p.DirectoryName() == p.PrintedName(); same != test.same {
			t.Errorf("%s: %q and %q", p.ID, p.DirectoryName(), p.PrintedName())
		}
	}
}

func TestPortraitIsASmallJPEGAndAlwaysTheSame(t *testing.T) {
	for _, p := range people.Samples() {
		first, err := p.Portrait()
		if err != nil {
			t.Fatal(err)
		}
		second, _ := p.Portrait()
		if !bytes.Equal(first, second) {
			t.Errorf("%s: two portraits differ", p.ID)
		}
		if len(first) < 6<<10 || len(first) > 12<<10 {
			t.Errorf("%s: portrait of %d bytes", p.ID, len(first))
		}
		picture, err := jpeg.DecodeConfig(bytes.NewReader(first))
		if err != nil || picture.Width != 240 || picture.Height != 240 {
			t.Errorf("%s: %v, %v", p.ID, picture, err)
		}
	}
}

func TestSelfieDependsOnTheConditionsAlone(t *testing.T) {
	p, _ := people.Find("ada.lindqvist")
	take := func(c people.Conditions) string {
		picture, err := p.Selfie(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(picture)
	}
	base := people.Conditions{Light: people.Good, Seed: 4}
	if first, second := take(base), take(base); first != second {
		t.Error("the same conditions give two pictures")
	}
	if take(base) == take(people.Conditions{Light: people.Good, Seed: 5}) {
		t.Error("another seed gives the same picture")
	}
	if take(base) == take(people.Conditions{Light: people.Poor, Seed: 4}) {
		t.Error("another light gives the same picture")
	}
}

func TestNobodyKnowsTheFaceOfAStranger(t *testing.T) {
	stranger := people.Person{ID: "stranger"}
	if _, err := stranger.Portrait(); !errors.Is(err, people.ErrNoFace) {
		t.Errorf("Portrait: %v", err)
	}
	if _, err := stranger.Selfie(people.Conditions{}); !errors.Is(err, people.ErrNoFace) {
		t.Errorf("Selfie: %v", err)
	}
}
