package people

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// size is the width and height of every picture, in pixels.
const size = 240

// ErrNoFace means that the person is not one of the samples, so there is no portrait of them.
var ErrNoFace = errors.New("no face")

// camera says how a scene becomes a picture.
type camera struct {
	zoom, dx, dy float64                             // the scene is enlarged, then moved by half pictures
	expose       func(c colour, x, y float64) colour // what light does to a colour
	grain        float64                             // noise of one pixel, standard deviation in 0..1
	noise        *dice
}

// Portrait is the photo printed on the document: a JPEG of 240 by 240 pixels, the same bytes each time.
func (p Person) Portrait() ([]byte, error) {
	if p.face.style == styleNone {
		return nil, fmt.Errorf("drawing the portrait of %q: %w", p.ID, ErrNoFace)
	}
	photo := camera{zoom: 1, expose: func(c colour, _, _ float64) colour { return c }, grain: 0.010, noise: newDice(1)}
	return encode(photo.shoot(scene{face: p.face, lids: 1, smile: 0.035}), 88)
}

// shoot takes the picture: two samples a pixel, on its diagonal, for smooth edges.
func (c camera) shoot(s scene) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	for row := range size {
		for column := range size {
			var sum colour
			for sub := range 2 {
				offset := 0.25 + 0.5*float64(sub)
				x, y := c.look(float64(column)+offset, float64(row)+offset)
				sum = mix(sum, s.at(x, y), 1/float64(sub+1))
			}
			x, y := float64(column)/size*2-1, float64(row)/size*2-1
			picture.SetRGBA(column, row, c.develop(c.expose(sum, x, y)))
		}
	}
	return picture
}

// look turns a pixel into the point of the scene that it sees.
func (c camera) look(column, row float64) (x, y float64) {
	return ((column/size)*2 - 1 - c.dx) / c.zoom, ((row/size)*2 - 1 - c.dy) / c.zoom
}

func (c camera) develop(v colour) color.RGBA {
	grey := c.noise.normal() * c.grain
	channel := func(shade float64) uint8 {
		shade += grey + c.noise.normal()*c.grain*0.5
		return uint8(math.Round(255 * max(0, min(1, shade))))
	}
	return color.RGBA{R: channel(v.r), G: channel(v.g), B: channel(v.b), A: 255}
}

func encode(picture image.Image, quality int) ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encoding a picture: %w", err)
	}
	return out.Bytes(), nil
}

// dice is a small generator of repeatable noise (SplitMix64). It has nothing to do with security.
type dice struct{ state uint64 }

func newDice(seed uint64) *dice { return &dice{state: seed} }

const diceStep = 0x9e3779b97f4a7c15

// uniform is a number in 0..1.
func (d *dice) uniform() float64 {
	d.state += diceStep
	return pips(d.state)
}

// pips turns a state of the dice into a number in 0..1.
func pips(z uint64) float64 {
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return float64((z^(z>>31))>>11) / (1 << 53)
}

// within is a number in -span..span.
func (d *dice) within(span float64) float64 { return (2*d.uniform() - 1) * span }

// normal is about normally distributed with standard deviation 1 (the sum of four uniform numbers).
func (d *dice) normal() float64 {
	sum, state := 0.0, d.state
	for range 4 {
		state += diceStep
		sum += pips(state)
	}
	d.state = state
	return (sum - 2) * math.Sqrt(3)
}
