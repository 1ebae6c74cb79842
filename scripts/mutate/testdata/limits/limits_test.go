package limits

import "testing"

func TestWithin(t *testing.T) {
	for n, good := range map[int]bool{-1: false, 0: true, 10: true, 11: false} {
		if err := Within(n); (err == nil) != good {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestLoose(t *testing.T) {
	if !Loose(1, "") || Loose(5000, "") {
		t.Error("wrong")
	}
}

func TestCount(t *testing.T) {
	if n, err := Count([]string{"a", "skip", "b"}); n != 2 || err != nil {
		t.Error(n, err)
	}
	if n, err := Count([]string{"a", "stop"}); n != 1 || err == nil {
		t.Error(n, err)
	}
}
