package picture_test

import (
	"bytes"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"regain/conformance/oidf/picture"
)

func TestDraw(t *testing.T) {
	short := picture.Page{Address: "https://recover.example.org", Title: "This was a trial run", Text: "Everything matched: j•••@example.org …"}
	height := func(p picture.Page) int {
		drawn, err := picture.Draw(p)
		if err != nil {
			t.Fatal(err)
		}
		const most = 500_000 // bytes that the suite takes
		if len(drawn) > most {
			t.Errorf("%d bytes", len(drawn))
		}
		decoded, err := png.Decode(bytes.NewReader(drawn))
		if err != nil {
			t.Fatal(err)
		}
		dark, bounds := 0, decoded.Bounds()
		for y := range bounds.Dy() {
			for x := range bounds.Dx() {
				if color.GrayModel.Convert(decoded.At(x, y)).(color.Gray).Y < 0x80 { //nolint:forcetypeassert // of that model
					dark++
					if x < 30 || x > bounds.Dx()-30 && !strings.Contains(p.Text, "wwww") {
						t.Fatalf("ink at %d,%d: outside the margin", x, y)
					}
				}
			}
		}
		if dark == 0 {
			t.Error("an empty picture")
		}
		return bounds.Dy()
	}
	least := height(picture.Page{})
	one := height(short)
	short.Text = strings.Repeat("word ", 200)
	many := height(short)
	short.Text = strings.Repeat("w", 200)
	wide := height(short)
	if least >= one || one >= many || wide >= many {
		t.Errorf("heights %d, %d, %d and %d", least, one, many, wide)
	}
}
