package load

import (
	"strings"
	"testing"
	"time"
)

func valid() Options {
	return Options{Duration: time.Second, Workers: []int{1, 4}, Stores: []string{"memory", "file"}, Waiting: 2}
}

func TestOptionsRunEachStoreWithEachNumberOfWorkers(t *testing.T) {
	o := valid()
	o.TLS = true
	if err := o.validate(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range o.setups() {
		names = append(names, s.String())
	}
	got := strings.Join(names, "; ")
	const rest = " --tls --waiting 2"
	want := "--store memory --workers 1" + rest + "; --store memory --workers 4" + rest + "; --store file --workers 1" + rest + "; --store file --workers 4" + rest
	if got != want {
		t.Errorf("configurations %s, want %s", got, want)
	}
}

func TestOptionsSayWhatCannotRun(t *testing.T) {
	for says, spoil := range map[string]func(*Options){
		"--duration 0s: use a duration up to 1m":             func(o *Options) { o.Duration = 0 },
		"--duration 1m1s: use a duration up to 1m":           func(o *Options) { o.Duration = time.Minute + time.Second },
		"12 configurations of 1m0s each: use a shorter":      func(o *Options) { o.Duration, o.Workers = time.Minute, []int{1, 2, 3, 4, 5, 6} },
		"--workers 0: use 1 to 64":                           func(o *Options) { o.Workers = []int{1, 0} },
		"--workers 65: use 1 to 64":                          func(o *Options) { o.Workers = []int{65} },
		"--workers: give a number from 1 to 64":              func(o *Options) { o.Workers = nil },
		"with 1 workers is there twice":                      func(o *Options) { o.Workers = []int{1, 4, 1} },
		`store "paper": use memory`:                          func(o *Options) { o.Stores = []string{"memory", "paper"} },
		"--store: use memory":                                func(o *Options) { o.Stores = nil },
		"store memory with 1 workers is there twice":         func(o *Options) { o.Stores = []string{"memory", "memory"} },
		"--waiting -1: use 0 to 10000":                       func(o *Options) { o.Waiting = -1 },
		"--waiting 10001: use 0 to 10000":                    func(o *Options) { o.Waiting = 10_001 },
		"a profile is of one configuration, and these are 4": func(o *Options) { o.Profile = "cpu.prof" },
		"--compare: open no-such-file: no such file":         func(o *Options) { o.Compare = "no-such-file" },
	} {
		o := valid()
		spoil(&o)
		err := Run(t.Context(), o, &strings.Builder{})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v, want %q in it", err, says)
		}
	}
}

func TestOneOfReadsAsAChoice(t *testing.T) {
	for want, names := range map[string][]string{"a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := oneOf(names); got != want {
			t.Errorf("%v is %q, want %q", names, got, want)
		}
	}
}
