package people

import "math"

// pose is how the selfie's plate is laid over the photo's: enlarged about the middle and moved, in cells.
type pose struct{ zoom, dx, dy float64 }

// align searches the pose in which the selfie agrees best with the photo, coarsely and then finely, and returns the
// agreement there, -1..1.
func align(photo, selfie *plate) float64 {
	best, at := -2.0, pose{zoom: 1}
	try := func(p pose, spots []spot) {
		if a := agree(spots, selfie, p); a > best {
			best, at = a, p
		}
	}
	few, all := photo.spots(2), photo.spots(1)
	for zoom := 0.94; zoom < 1.13; zoom += 0.03 {
		for dx := -4.0; dx <= 4; dx++ {
			for dy := -4.0; dy <= 4; dy++ {
				try(pose{zoom, dx, dy}, few)
			}
		}
	}
	coarse := at
	best = -2
	for zoom := coarse.zoom - 0.02; zoom < coarse.zoom+0.021; zoom += 0.01 {
		for dx := -0.75; dx <= 0.75; dx += 0.25 {
			for dy := -0.75; dy <= 0.75; dy += 0.25 {
				try(pose{zoom, coarse.dx + dx, coarse.dy + dy}, all)
			}
		}
	}
	return best
}

// spot is a cell of the photo that counts: where it is, from the middle, and what it shows.
type spot struct {
	x, y float64
	look
}

const middle = float64(plateSide-1) / 2

// spots lists every stride-th cell within the oval of the photo where the head is. The backdrop and the clothes change
// from day to day, so they do not count.
func (p *plate) spots(stride int) []spot {
	var list []spot
	for y := 0; y < plateSide; y += stride {
		for x := 0; x < plateSide; x += stride {
			here := spot{float64(x) - middle, float64(y) - middle, p[y][x]}
			u, v := here.x/(plateSide*0.27), (here.y+2)/(plateSide*0.34)
			if u*u+v*v <= 1 {
				list = append(list, here)
			}
		}
	}
	return list
}

// agree is the weighted correlation of shape and tints between the spots of the photo and the selfie.
func agree(photo []spot, selfie *plate, p pose) float64 {
	var shape, red, blue correlation
	for _, s := range photo {
		seen := selfie.at(s.x*p.zoom+middle+p.dx, s.y*p.zoom+middle+p.dy)
		shape = shape.with(s.shape, seen.shape)
		red = red.with(s.red, seen.red)
		blue = blue.with(s.blue, seen.blue)
	}
	n := float64(len(photo))
	return 0.6*shape.value(n) + 0.2*red.value(n) + 0.2*blue.value(n)
}

// at reads between the cells.
func (p *plate) at(x, y float64) look {
	column, right := gridCell(max(0, min(plateSide-1.001, x)))
	row, below := gridCell(max(0, min(plateSide-1.001, y)))
	upper, lower := [2]look(p[row][column:]), [2]look(p[row+1][column:])
	between := func(a, b, c, d float64) float64 {
		return (a*(1-right)+b*right)*(1-below) + (c*(1-right)+d*right)*below
	}
	a, b, c, d := upper[0], upper[1], lower[0], lower[1]
	return look{between(a.shape, b.shape, c.shape, d.shape), between(a.red, b.red, c.red, d.red), between(a.blue, b.blue, c.blue, d.blue)}
}

// moments are the sums of one side's values and of their squares.
type moments struct{ sum, squares float64 }

func (m moments) with(v float64) moments { return moments{m.sum + v, m.squares + v*v} }

// correlation gathers pairs for Pearson's coefficient.
type correlation struct {
	a, b moments
	ab   float64
}

func (c correlation) with(a, b float64) correlation {
	return correlation{c.a.with(a), c.b.with(b), c.ab + a*b}
}

// value is -1..1 for n pairs, and 0 where a side does not vary at all.
func (c correlation) value(n float64) float64 {
	spread := (c.a.squares - c.a.sum*c.a.sum/n) * (c.b.squares - c.b.sum*c.b.sum/n)
	if !(spread > 1e-9) {
		return 0
	}
	return (c.ab - c.a.sum*c.b.sum/n) / math.Sqrt(spread)
}
