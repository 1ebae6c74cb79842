package costtest

import (
	"fmt"
	"strings"
)

// JSON returns texts of one JSON value each, as bad for a parser as they can be with so many bytes, by what is bad about
// them. few is how many small values a parser takes, so that some of them are read to their end.
func JSON(size, few int) map[string]string {
	texts := map[string]string{
		"a long string": `"` + strings.Repeat("x", size-2) + `"`, "escapes": `"` + strings.Repeat(`\u0041`, size/6-1) + `"`, "control characters": `"` + strings.Repeat(`\b`, size/2-1) + `"`,
		"a long number": strings.Repeat("9", size), "a number with an exponent": "1e" + strings.Repeat("9", size-2), "white space": strings.Repeat(" ", size-1) + "0",
		"depth": strings.Repeat("[", size), "depth of objects": strings.Repeat(`{"":`, size/4), "depth to an end": strings.Repeat("[", size/2) + strings.Repeat("]", size/2),
		"a name twice": strings.TrimSuffix(members("0", size-6, size), "}") + `,"":0}`, "a name always": "{" + many(`"":0`, size/5-1) + "}",
	}
	elements := map[string]string{"numbers": "0", "arrays": "[]", "objects": "{}", "objects with a member": `{"":0}`, "empty strings": `""`, "short strings": `"a"`, "literals": "null", "nested": `[[[{"":[0]}]]]`}
	for name, element := range elements {
		n := (size - 2) / (len(element) + 1)
		texts[name] = "[" + many(element, n) + "]"
		texts["the most "+name] = "[" + many(element, min(n, few/values(element))) + "]"
		texts["members: "+name] = members(element, size, size)
		texts["the most members: "+name] = members(element, size, few/values(element))
	}
	return texts
}

// values counts the values of a small text.
func values(text string) int {
	return 1 + strings.Count(text, ":") + strings.Count(text, "[0") + max(0, strings.Count(text, "[")-1)
}

func many(element string, n int) string {
	return strings.TrimSuffix(strings.Repeat(element+",", n), ",")
}

// members is an object of up to n members with as many of them as there is room for.
func members(value string, size, n int) string {
	var b strings.Builder
	b.WriteString("{")
	for i := 0; i < n; i++ {
		next := fmt.Sprintf(`"%x":%s,`, i, value)
		if b.Len()+len(next) > size {
			break
		}
		b.WriteString(next)
	}
	return strings.TrimSuffix(b.String(), ",") + "}"
}
