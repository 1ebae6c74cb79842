package people

import "math"

// pose is how the selfie's plate is laid over the photo's: enlarged about the middle and moved, in cells.
type pose struct{ zoom, dx, dy float64 }

// align searches the pose in which the selfie agrees best with the photo, coarsely and then finely, and returns the
// agreement there, -1..1.
func align(photo, selfie *plate) float64 {
	best, at := -2.0, pose{zoom: 1}
	try := func(p pose, stride int) {
		if a := agree(photo, selfie, p, stride); a > best {
			best, at = a, p
		}
	}
	for zoom := 0.94; zoom < 1.13; zoom += 0.03 {
		for dx := -4.0; dx <= 4; dx++ {
			for dy := -4.0; dy <= 4; dy++ {
				try(pose{zoom, dx, dy}, 2)
			}
		}
	}
	coarse := at
	best = -2
	for zoom := coarse.zoom - 0.02; zoom < coarse.zoom+0.021; zoom += 0.01 {
		for dx := -0.75; dx <= 0.75; dx += 0.25 {
			for dy := -0.75; dy <= 0.75; dy += 0.25 {
				try(pose{zoom, coarse.dx + dx, coarse.dy + dy}, 1)
			}
		}
	}
	return best
}

// agree is the weighted correlation of shape and tints within the oval of the photo where the head is. The backdrop
// and the clothes change from day to day, so they do not count.
func agree(photo, selfie *plate, p pose, stride int) float64 {
	var layers [3]correlation
	const middle = float64(plateSide-1) / 2
	for y := 0; y < plateSide; y += stride {
		for x := 0; x < plateSide; x += stride {
			u, v := (float64(x)-middle)/(plateSide*0.27), (float64(y)-middle+2)/(plateSide*0.34)
			if u*u+v*v > 1 {
				continue
			}
			sx, sy := (float64(x)-middle)*p.zoom+middle+p.dx, (float64(y)-middle)*p.zoom+middle+p.dy
			for i := range layers {
				layers[i].add(photo[i][y][x], sample(&selfie[i], sx, sy))
			}
		}
	}
	return 0.6*layers[0].value() + 0.2*layers[1].value() + 0.2*layers[2].value()
}

// sample reads between the cells.
func sample(c *cells, x, y float64) float64 {
	x, y = max(0, min(plateSide-1.001, x)), max(0, min(plateSide-1.001, y))
	column, row := int(x), int(y)
	right, below := x-float64(column), y-float64(row)
	top := c[row][column]*(1-right) + c[row][column+1]*right
	bottom := c[row+1][column]*(1-right) + c[row+1][column+1]*right
	return top*(1-below) + bottom*below
}

// correlation gathers pairs for Pearson's coefficient.
type correlation struct{ n, a, b, aa, bb, ab float64 }

func (c *correlation) add(a, b float64) {
	c.n, c.a, c.b = c.n+1, c.a+a, c.b+b
	c.aa, c.bb, c.ab = c.aa+a*a, c.bb+b*b, c.ab+a*b
}

// value is -1..1, and 0 where a side does not vary at all.
func (c *correlation) value() float64 {
	spread := (c.aa - c.a*c.a/c.n) * (c.bb - c.b*c.b/c.n)
	if !(spread > 1e-9) {
		return 0
	}
	return (c.ab - c.a*c.b/c.n) / math.Sqrt(spread)
}
