package people

import "math"

// blotchGrid is the number of blotches across a picture.
const blotchGrid = 26

// blotches is the coarse noise that a phone leaves when it smooths a dark picture: a grid of offsets for each channel,
// smooth in between.
type blotches struct {
	grid [3][blotchGrid + 2][blotchGrid + 2]float64
}

const blotchStrength = 0.19

func newBlotches(moment *dice) *blotches {
	b := new(blotches)
	for row := range blotchGrid + 2 {
		for column := range blotchGrid + 2 {
			grey := moment.normal()
			for channel := range 3 {
				b.grid[channel][row][column] = blotchStrength * (grey + 0.2*moment.normal())
			}
		}
	}
	return b
}

// at is the offset of one channel at a point of the picture.
func (b *blotches) at(channel int, x, y float64) float64 {
	column, right := math.Modf((x + 1) / 2 * blotchGrid)
	row, below := math.Modf((y + 1) / 2 * blotchGrid)
	g, c, r := &b.grid[channel], int(column), int(row)
	top := g[r][c]*(1-right) + g[r][c+1]*right
	bottom := g[r+1][c]*(1-right) + g[r+1][c+1]*right
	return top*(1-below) + bottom*below
}
