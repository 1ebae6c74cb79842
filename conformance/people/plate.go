package people

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
)

const (
	maxPictureBytes = 256 << 10
	maxPictureSide  = 1024
	plateSide       = 60 // a plate is 60 by 60 cells
)

// decode reads a JPEG, and refuses one that would cost much memory before it is unpacked.
func decode(data []byte) (image.Image, error) {
	if len(data) > maxPictureBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrPicture, maxPictureBytes)
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if min(config.Width, config.Height) < plateSide || max(config.Width, config.Height) > maxPictureSide {
		return nil, fmt.Errorf("%w: %d by %d pixels", ErrPicture, config.Width, config.Height)
	}
	picture, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	return picture, nil
}

// plate is a picture made small and freed of its lighting: shape and two tints for each cell.
type plate [3][plateSide][plateSide]float64

func newPlate(picture image.Image) *plate {
	red, green, blue := shrink(picture)
	p := new(plate)
	// Exposure and white balance: the mean of each channel becomes grey.
	toRed, toGreen, toBlue := 0.5/max(0.01, mean(red)), 0.5/max(0.01, mean(green)), 0.5/max(0.01, mean(blue))
	for y := range plateSide {
		for x := range plateSide {
			r, g, b := red[y][x]*toRed+0.15, green[y][x]*toGreen+0.15, blue[y][x]*toBlue+0.15
			p[0][y][x] = math.Log(0.30*r + 0.59*g + 0.11*b)
			p[1][y][x] = math.Log(r / g)
			p[2][y][x] = math.Log(b / g)
		}
	}
	p[0] = *flatten(&p[0], 9)
	return p
}

type cells = [plateSide][plateSide]float64

// shrink averages the pixels of each cell, in three channels of 0..1.
func shrink(picture image.Image) (red, green, blue *cells) {
	red, green, blue = new(cells), new(cells), new(cells)
	area := picture.Bounds()
	for row := range plateSide {
		for column := range plateSide {
			box := image.Rect(column*area.Dx()/plateSide, row*area.Dy()/plateSide,
				(column+1)*area.Dx()/plateSide, (row+1)*area.Dy()/plateSide).Add(area.Min)
			var r, g, b float64
			for y := box.Min.Y; y < box.Max.Y; y++ {
				for x := box.Min.X; x < box.Max.X; x++ {
					pr, pg, pb, _ := picture.At(x, y).RGBA()
					r, g, b = r+float64(pr), g+float64(pg), b+float64(pb)
				}
			}
			pixels := float64(box.Dx()*box.Dy()) * 0xffff
			red[row][column], green[row][column], blue[row][column] = r/pixels, g/pixels, b/pixels
		}
	}
	return red, green, blue
}

// flatten takes away the mean of the neighbourhood, which is where slow changes of light live.
func flatten(in *cells, reach int) *cells {
	out := new(cells)
	for y := range plateSide {
		for x := range plateSide {
			sum, count := 0.0, 0.0
			for ny := max(0, y-reach); ny <= min(plateSide-1, y+reach); ny++ {
				for nx := max(0, x-reach); nx <= min(plateSide-1, x+reach); nx++ {
					sum, count = sum+in[ny][nx], count+1
				}
			}
			out[y][x] = in[y][x] - sum/count
		}
	}
	return out
}

// quality rates a photo by how much detail it has.
func quality(picture image.Image) string {
	area := picture.Bounds()
	if area.Dx() < 120 || area.Dy() < 120 {
		return "LOW"
	}
	_, green, _ := shrink(picture)
	level, squares := mean(green), 0.0
	for _, row := range green {
		for _, v := range row {
			squares += (v - level) * (v - level)
		}
	}
	spread := math.Sqrt(squares / plateSide / plateSide)
	switch {
	case spread > 0.12 && level > 0.25 && level < 0.85:
		return "HIGH"
	case spread > 0.05:
		return "MEDIUM"
	}
	return "LOW"
}

func mean(c *cells) float64 {
	sum := 0.0
	for _, row := range c {
		for _, v := range row {
			sum += v
		}
	}
	return sum / plateSide / plateSide
}
