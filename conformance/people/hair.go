package people

import "math"

// hairBehind is the signed distance to the hair behind the head; hairInFront to the hair over the forehead.
func (s scene) hairBehind(x, y float64) float64 {
	switch s.style {
	case styleLong:
		return max(ellipse(x, y-0.10, s.width*1.42, s.height*1.42), y-0.86)
	case styleBob:
		return max(ellipse(x, y+0.04, s.width*1.36, s.height*1.22), y-0.42-0.10*math.Cos(x*6))
	case styleFringe:
		return max(ellipse(x, y-0.02, s.width*1.26, s.height*1.30), y-0.62)
	case styleBun:
		bun := ellipse(x, y+s.height*1.14, 0.20, 0.17)
		return min(bun, ellipse(x, y+0.10, s.width*1.10, s.height*0.98))
	case styleCurly:
		angle := math.Atan2(y+0.12, x)
		return ellipse(x, y+0.12, s.width*1.55+0.04*math.Sin(angle*17), s.height*1.22+0.04*math.Sin(angle*17)) + max(0, y-0.2)
	}
	return s.head(x, y+0.04, 0.02) + max(0, y)
}

func (s scene) hairInFront(x, y float64) float64 {
	cap := s.head(x, y+0.03, 0.045)
	if cap > softness {
		return cap // beside the head: save the trigonometry
	}
	edge := s.hairline
	switch s.style {
	case styleShort:
		edge += 0.06*math.Sin(x*9) + 1.1*x*x
	case styleLong:
		edge += 2.6*x*x - 0.25*x
	case styleBob:
		edge += 0.35 * (x + s.width) * (x + s.width)
	case styleFringe:
		edge += 0.03*math.Cos(x*30) + 0.9*x*x
	case styleBun:
		edge += 1.7 * x * x
		if abs(x) < 0.012 {
			return 1 // the parting
		}
	case styleCurly:
		edge += 0.04*math.Sin(x*34) + 1.5*x*x
	case styleReceding:
		edge += 2.4*x*x - 0.12*math.Cos(x*14)
	}
	return max(cap, y-edge)
}
