package people

import "math"

// colour has three channels in 0..1. It is no array, so that it travels in registers: a picture takes millions of them.
type colour struct{ r, g, b float64 }

func rgb(r, g, b uint8) colour {
	return colour{float64(r) / 255, float64(g) / 255, float64(b) / 255}
}

func mix(a, b colour, t float64) colour {
	return colour{a.r + (b.r-a.r)*t, a.g + (b.g-a.g)*t, a.b + (b.b-a.b)*t}
}

func (c colour) scale(f float64) colour {
	return colour{min(1, c.r*f), min(1, c.g*f), min(1, c.b*f)}
}

// style is how somebody wears their hair.
type style int

const (
	styleNone style = iota
	styleShort
	styleLong
	styleBob
	styleFringe
	styleBun
	styleCurly
	styleReceding
)

// face holds the traits of a face. Lengths are in half pictures: the picture spans -1..1, x to the right, y downwards,
// with the middle of the face at the origin.
type face struct {
	skin, hair, iris, lips, cloth, backdrop          colour
	width, height, jaw                               float64
	eyeGap, eyeSize, browHeight, browThick, browTilt float64
	noseLength, mouthWidth, lipThick, hairline       float64
	style                                            style
	beard, glasses                                   bool
}

// scene is a face in a moment: the same traits with another backdrop and expression.
type scene struct {
	face
	smile float64 // how far the corners of the mouth go up, in half pictures
	lids  float64 // 1 is open eyes, less is narrower
}

const (
	softness = 0.012 // width of an edge
	eyeLine  = -0.06
)

// cover turns a signed distance (negative is inside) into a share of 0..1.
func cover(distance float64) float64 {
	return max(0, min(1, 0.5-distance/softness))
}

// abs is math.Abs without its way through the bits, which the race detector watches.
func abs(v float64) float64 { return max(v, -v) }

// ellipse is the approximate signed distance to an ellipse.
func ellipse(x, y, rx, ry float64) float64 {
	x, y = x/rx, y/ry
	return (math.Sqrt(x*x+y*y) - 1) * min(rx, ry)
}

// bar is the signed distance to a rounded bar that lies along x, turned by tilt radians.
func bar(x, y, half, thick, tilt float64) float64 {
	if far := half + thick + softness; x*x+y*y > far*far {
		return far // most points are nowhere near: save the trigonometry
	}
	sin, cos := math.Sincos(tilt)
	x, y = x*cos+y*sin, y*cos-x*sin
	beyond := max(0, abs(x)-half)
	return math.Sqrt(beyond*beyond+y*y) - thick
}

// head is the signed distance to the outline of the head, grown by a margin.
func (s scene) head(x, y, margin float64) float64 {
	narrow := 1.0
	if y > 0 {
		narrow -= s.jaw * (y / s.height) * (y / s.height)
	}
	return ellipse(x, y, (s.width+margin)*max(0.2, narrow), s.height+margin)
}

// at is the colour of the scene at a point.
func (s scene) at(x, y float64) colour {
	c := s.backdrop.scale(1.04 - 0.10*(y+1)/2)
	c = mix(c, s.hair.scale(0.82), cover(s.hairBehind(x, y)))
	c = mix(c, s.cloth.scale(1.05-0.25*abs(x)), cover(ellipse(x, y-1.12, 0.86, 0.46)))
	c = mix(c, s.skin.scale(0.84), cover(max(abs(x)-0.17, abs(y-0.5)-0.28)))
	for side := -1.0; side <= 1; side += 2 {
		c = mix(c, s.skin.scale(0.88), cover(ellipse(x-side*s.width*0.99, y-0.02, 0.06, 0.11)))
	}
	if s.head(x, y, 0.03) < 0 {
		c = mix(c, s.tone(x, y), cover(s.head(x, y, 0)))
		c = s.features(c, x, y)
	}
	return mix(c, s.hair.scale(1.08-0.25*abs(x+0.15)), cover(s.hairInFront(x, y)))
}

// tone is the skin: rounder towards the edge, warmer on the cheeks.
func (s scene) tone(x, y float64) colour {
	c := s.skin.scale(1.03 - 0.22*(x*x+y*y*0.5))
	for side := -1.0; side <= 1; side += 2 {
		dx, dy := x-side*s.width*0.55, y-0.16
		c = mix(c, mix(s.skin, s.lips, 0.5), 0.35*max(0, 1-math.Sqrt(dx*dx+dy*dy)/0.16))
	}
	return c
}

func (s scene) features(c colour, x, y float64) colour {
	if s.beard {
		lower := max(s.head(x, y, 0.012), 0.20-y-max(0, abs(x)-s.width*0.62)*1.6)
		c = mix(c, s.hair.scale(0.9), 0.92*cover(lower))
	}
	c = s.nose(c, x, y)
	for side := -1.0; side <= 1; side += 2 {
		c = s.eye(c, side, x, y)
	}
	return s.mouth(c, x, y)
}

func (s scene) nose(c colour, x, y float64) colour {
	tip := eyeLine + 0.04 + s.noseLength
	c = mix(c, s.skin.scale(0.72), 0.75*cover(bar(x-0.035, y-(tip-s.noseLength/2), s.noseLength/2.2, 0.010, math.Pi/2-0.12)))
	return mix(c, s.skin.scale(0.66), 0.85*cover(bar(x, y-tip, 0.045, 0.012, 0)))
}

func (s scene) eye(c colour, side, x, y float64) colour {
	ex, ey := x-side*s.eyeGap, y-eyeLine
	if ex*ex+ey*ey > 0.09 {
		return c
	}
	open := s.eyeSize * 0.56 * s.lids
	c = mix(c, rgb(250, 250, 248), cover(ellipse(ex, ey, s.eyeSize, open)))
	inside := cover(ellipse(ex, ey, s.eyeSize, open))
	c = mix(c, s.iris, inside*cover(ellipse(ex, ey, s.eyeSize*0.46, s.eyeSize*0.46)))
	c = mix(c, rgb(16, 14, 16), inside*cover(ellipse(ex, ey, s.eyeSize*0.21, s.eyeSize*0.21)))
	c = mix(c, rgb(255, 255, 255), inside*cover(ellipse(ex-0.015, ey+0.016, 0.010, 0.010)))
	c = mix(c, s.hair.scale(0.5), cover(bar(ex, ey+open, s.eyeSize*0.85, 0.010, 0)))
	c = mix(c, s.hair.scale(0.75), cover(bar(ex, ey+s.browHeight, s.eyeSize*1.05, s.browThick, -side*s.browTilt)))
	if s.glasses {
		ring := abs(ellipse(ex, ey, s.eyeSize*1.55, s.eyeSize*1.3)) - 0.012
		c = mix(c, rgb(36, 36, 44), cover(ring))
		c = mix(c, rgb(36, 36, 44), cover(bar(x, y-eyeLine, max(0.01, s.eyeGap-s.eyeSize*1.55), 0.010, 0)))
	}
	return c
}

func (s scene) mouth(c colour, x, y float64) colour {
	line := y - 0.27 + s.smile*(x/s.mouthWidth)*(x/s.mouthWidth)
	c = mix(c, s.lips, cover(ellipse(x, line, s.mouthWidth, s.lipThick)))
	return mix(c, s.lips.scale(0.5), cover(bar(x, line, s.mouthWidth*0.85, 0.007, 0)))
}
