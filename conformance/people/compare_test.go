package people_test

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"testing"

	"regain/conformance/people"
)

// seeds are moments far apart from each other and from those that the score was calibrated on.
func seeds(n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = int64(i)*7919 + 13
	}
	return list
}

func score(t *testing.T, photo []byte, p people.Person, c people.Conditions) float64 {
	t.Helper()
	selfie, err := p.Selfie(c)
	if err != nil {
		t.Fatal(err)
	}
	result, err := people.Compare(photo, selfie)
	if err != nil {
		t.Fatal(err)
	}
	if result.Score < 0 || result.Score > 100 || result.Quality != "HIGH" {
		t.Errorf("%s: %+v", p.ID, result)
	}
	return result.Score
}

func TestCompareKnowsTheSameFace(t *testing.T) {
	for _, p := range people.Samples() {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			photo, err := p.Portrait()
			if err != nil {
				t.Fatal(err)
			}
			for _, seed := range seeds(8) {
				if s := score(t, photo, p, people.Conditions{Light: people.Good, Seed: seed}); s < 80 {
					t.Errorf("good light, seed %d: %v", seed, s)
				}
				if s := score(t, photo, p, people.Conditions{Light: people.Poor, Seed: seed}); s < 55 || s > 66 {
					t.Errorf("poor light, seed %d: %v", seed, s)
				}
			}
		})
	}
}

func TestCompareTellsPeopleApart(t *testing.T) {
	for i, p := range people.Samples() {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			photo, err := p.Portrait()
			if err != nil {
				t.Fatal(err)
			}
			for j, other := range people.Samples() {
				if i == j {
					continue
				}
				for _, light := range []people.Light{people.Good, people.Poor} {
					seed := int64(100*i + j)
					if s := score(t, photo, other, people.Conditions{Light: light, Seed: seed}); s >= 50 {
						t.Errorf("%s in %s light: %v", other.ID, light, s)
					}
				}
			}
		})
	}
}

// A picture without a face must not pass for one.
func TestCompareRefusesToBeSureOfNothing(t *testing.T) {
	ada, _ := people.Find("ada.lindqvist")
	photo, err := ada.Portrait()
	if err != nil {
		t.Fatal(err)
	}
	var blank bytes.Buffer
	if err := jpeg.Encode(&blank, image.NewGray(image.Rect(0, 0, 240, 240)), nil); err != nil {
		t.Fatal(err)
	}
	result, err := people.Compare(photo, blank.Bytes())
	if err != nil || result.Score > 5 {
		t.Errorf("a blank selfie: %+v, %v", result, err)
	}
	result, err = people.Compare(blank.Bytes(), photo)
	if err != nil || result.Score > 5 || result.Quality != "LOW" {
		t.Errorf("a blank photo: %+v, %v", result, err)
	}
}

func TestCompareRefusesWhatIsNoPicture(t *testing.T) {
	ada, _ := people.Find("ada.lindqvist")
	photo, err := ada.Portrait()
	if err != nil {
		t.Fatal(err)
	}
	encode := func(width, height int) []byte {
		var out bytes.Buffer
		if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "text": []byte("a face"), "cut off": photo[:len(photo)/3],
		"tiny": encode(20, 20), "huge": encode(2000, 30), "heavy": append(bytes.Clone(photo), make([]byte, 300<<10)...),
	} {
		if _, err := people.Compare(photo, bad); !errors.Is(err, people.ErrPicture) {
			t.Errorf("selfie %s: %v", name, err)
		}
		if _, err := people.Compare(bad, photo); !errors.Is(err, people.ErrPicture) {
			t.Errorf("photo %s: %v", name, err)
		}
	}
}

func FuzzCompare(f *testing.F) {
	ada, _ := people.Find("ada.lindqvist")
	photo, err := ada.Portrait()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(photo)
	f.Add(photo[:500])
	f.Add([]byte{0xff, 0xd8, 0xff})
	f.Fuzz(func(t *testing.T, selfie []byte) {
		result, err := people.Compare(photo, selfie)
		if err == nil && !(result.Score >= 0 && result.Score <= 100) {
			t.Errorf("score %v", result.Score)
		}
	})
}
