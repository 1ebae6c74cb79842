package people

import (
	"fmt"
	"math"
)

// Conditions are the circumstances of a selfie. The same conditions give the same picture; another seed is another
// moment: the head elsewhere, another expression, other noise.
type Conditions struct {
	Light Light
	Seed  int64
}

// Selfie is a JPEG of the same face as in Portrait, taken by a phone: another crop, backdrop and light.
func (p Person) Selfie(conditions Conditions) ([]byte, error) {
	if p.face.style == styleNone {
		return nil, fmt.Errorf("taking a selfie of %q: %w", p.ID, ErrNoFace)
	}
	moment := newDice(uint64(conditions.Seed)*2 + 77)
	shot := scene{face: p.face, smile: 0.040 + moment.within(0.012), lids: 1 + moment.within(0.06)}
	shot.backdrop = mix(rgb(196, 190, 182), rgb(172, 188, 196), moment.uniform())
	phone := camera{
		zoom: 1.03 + moment.within(0.05), dx: moment.within(0.06), dy: moment.within(0.05),
		grain: 0.014, noise: newDice(moment.state ^ 0x5e1f1e), expose: daylight(moment),
	}
	quality := 86
	if conditions.Light == Poor {
		phone.grain, phone.expose, quality = 0.03, lamp(moment), 60
	}
	return encode(phone.shoot(shot), quality)
}

// daylight is bright and a little stronger on one side.
func daylight(moment *dice) func(colour, float64, float64) colour {
	gain, slope, warmth := 1+moment.within(0.06), moment.within(0.06), moment.within(0.02)
	return func(c colour, x, _ float64) colour {
		c = c.scale(gain + slope*x)
		c.r *= 1 + warmth
		c.b *= 1 - warmth
		return c
	}
}

// lamp is one weak, warm lamp: half the face lies in the dark, and what the phone does about it leaves blotches.
func lamp(moment *dice) func(colour, float64, float64) colour {
	side := 1.0
	if moment.uniform() < 0.5 {
		side = -1
	}
	blotches := newBlotches(moment)
	return func(c colour, x, y float64) colour {
		light := 0.16 + 0.30/(1+math.Exp(-6*side*x))
		c = colour{c.r * 1.10, c.g * 0.96, c.b * 0.74}.scale(light)
		blotch := blotches.at(x, y)
		return colour{c.r * max(0, 1+blotch.r), c.g * max(0, 1+blotch.g), c.b * max(0, 1+blotch.b)}
	}
}
