// Package picture draws what a page says. The OpenID Foundation's suite wants a person to look at some pages, and takes
// nothing but pictures of them; in a journey without a screen there is none to take. What is drawn here is the words that
// the page showed and where it showed them, which is what the person has to judge, and a line that says so.
package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Page is what is drawn.
type Page struct {
	Address string // its origin: a path may hold what opens the page again
	Title   string
	Text    string
}

const (
	width  = 720
	margin = 36
	note   = "Drawn from the text of the page; the journey had no screen."
)

// paragraph is text in one size.
type paragraph struct {
	face font.Face
	ink  color.Gray
	text string
}

// Draw returns a PNG.
func Draw(p Page) ([]byte, error) {
	faces := make([]font.Face, 0, 3)
	for _, f := range []struct {
		font []byte
		size float64
	}{{goregular.TTF, 14}, {gobold.TTF, 24}, {goregular.TTF, 17}} {
		parsed, err := opentype.Parse(f.font)
		if err != nil {
			return nil, fmt.Errorf("draw page: %w", err)
		}
		face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: f.size, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			return nil, fmt.Errorf("draw page: %w", err)
		}
		faces = append(faces, face)
	}
	small, title, body := faces[0], faces[1], faces[2]
	const faint, black = 0x66, 0
	return render([]paragraph{
		{small, color.Gray{faint}, p.Address}, {title, color.Gray{black}, p.Title}, {body, color.Gray{black}, p.Text}, {small, color.Gray{faint}, note},
	})
}

func render(list []paragraph) ([]byte, error) {
	height := 2 * margin
	for _, p := range list {
		height += len(p.lines())*p.leading() + margin/2
	}
	canvas := image.NewGray(image.Rect(0, 0, width, height))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	y := margin
	for _, p := range list {
		for _, line := range p.lines() {
			y += p.leading()
			d := font.Drawer{Dst: canvas, Src: image.NewUniform(p.ink), Face: p.face, Dot: fixed.P(margin, y)}
			d.DrawString(line)
		}
		y += margin / 2
	}
	var b bytes.Buffer
	if err := png.Encode(&b, canvas); err != nil {
		return nil, fmt.Errorf("draw page: %w", err)
	}
	return b.Bytes(), nil
}

func (p paragraph) leading() int { return p.face.Metrics().Height.Ceil() }

// lines breaks the text between words. A word that is wider than a line stands alone, and is cut off.
func (p paragraph) lines() []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(p.text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && font.MeasureString(p.face, longer) > fixed.I(width-2*margin) {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
