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
func decode(data []byte) (image.RGBA64Image, error) {
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
	return picture.(image.RGBA64Image), nil //nolint:forcetypeassert // as every picture that image/jpeg makes
}

// plate is a picture made small and freed of its lighting.
type plate [plateSide][plateSide]look

// look is what one cell of a plate shows: shape and two tints.
type look struct{ shape, red, blue float64 }

func newPlate(c *channels) *plate {
	p := new(plate)
	var shape cells
	// Exposure and white balance: the mean of each channel becomes grey.
	toRed, toGreen, toBlue := 0.5/max(0.01, mean(&c.red)), 0.5/max(0.01, mean(&c.green)), 0.5/max(0.01, mean(&c.blue))
	for y := range plateSide {
		for x := range plateSide {
			r, g, b := c.red[y][x]*toRed+0.15, c.green[y][x]*toGreen+0.15, c.blue[y][x]*toBlue+0.15
			shape[y][x] = math.Log(0.30*r + 0.59*g + 0.11*b)
			p[y][x] = look{red: math.Log(r / g), blue: math.Log(b / g)}
		}
	}
	for y, row := range flatten(shape, 9) {
		for x, v := range row {
			p[y][x].shape = v
		}
	}
	return p
}

type cells [plateSide][plateSide]float64

// channels are a picture made small, in 0..1.
type channels struct{ red, green, blue cells }

// shrink averages the pixels of each cell.
func shrink(picture image.RGBA64Image) *channels {
	c, area := new(channels), picture.Bounds()
	for row := range plateSide {
		for column := range plateSide {
			box := image.Rect(column*area.Dx()/plateSide, row*area.Dy()/plateSide,
				(column+1)*area.Dx()/plateSide, (row+1)*area.Dy()/plateSide).Add(area.Min)
			var r, g, b float64
			for y := box.Min.Y; y < box.Max.Y; y++ {
				for x := box.Min.X; x < box.Max.X; x++ {
					pixel := picture.RGBA64At(x, y)
					r, g, b = r+float64(pixel.R), g+float64(pixel.G), b+float64(pixel.B)
				}
			}
			pixels := float64(box.Dx()*box.Dy()) * 0xffff
			c.red[row][column], c.green[row][column], c.blue[row][column] = r/pixels, g/pixels, b/pixels
		}
	}
	return c
}

// flatten takes away the mean of the neighbourhood, which is where slow changes of light live: the cells up to reach
// away, summed along rows and then along columns.
func flatten(in cells, reach int) (out cells) {
	var along cells
	for y := range plateSide {
		for x := range plateSide {
			for _, v := range in[y][max(0, x-reach):min(plateSide, x+reach+1)] {
				along[y][x] += v
			}
		}
	}
	near := func(at int) int { return min(plateSide, at+reach+1) - max(0, at-reach) }
	for x := range plateSide {
		for y := range plateSide {
			sum := 0.0
			for _, row := range along[max(0, y-reach):min(plateSide, y+reach+1)] {
				sum += row[x]
			}
			out[y][x] = in[y][x] - sum/float64(near(x)*near(y))
		}
	}
	return out
}

// quality rates a photo by how much detail it has.
func quality(area image.Rectangle, small *channels) string {
	if area.Dx() < 120 || area.Dy() < 120 {
		return "LOW"
	}
	level, squares := mean(&small.green), 0.0
	for _, row := range small.green {
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
