package people

// blotchGrid is the number of blotches across a picture.
const blotchGrid = 26

// blotches is the coarse noise that a phone leaves when it smooths a dark picture: a grid of offsets, smooth in between.
type blotches [blotchGrid + 2][blotchGrid + 2]colour

const blotchStrength = 0.19

func newBlotches(moment *dice) *blotches {
	b := new(blotches)
	for row := range b {
		for column := range b[row] {
			grey := moment.normal()
			offset := func() float64 { return blotchStrength * (grey + 0.2*moment.normal()) }
			b[row][column] = colour{offset(), offset(), offset()}
		}
	}
	return b
}

// at is the offset of each channel at a point of the picture.
func (b *blotches) at(x, y float64) colour {
	column, right := gridCell((x + 1) / 2 * blotchGrid)
	row, below := gridCell((y + 1) / 2 * blotchGrid)
	top := blend(b[row][column], b[row][column+1], right)
	bottom := blend(b[row+1][column], b[row+1][column+1], right)
	return blend(top, bottom, below)
}

// gridCell splits a place in a grid into the cell and the share of the way to the next.
func gridCell(at float64) (cell int, beyond float64) {
	cell = int(at)
	return cell, at - float64(cell)
}

// blend is between two offsets.
func blend(a, b colour, t float64) colour {
	return colour{a.r*(1-t) + b.r*t, a.g*(1-t) + b.g*t, a.b*(1-t) + b.b*t}
}
