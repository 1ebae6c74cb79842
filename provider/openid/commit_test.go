package openid

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/problem"
	"regain/provider/web"
	"regain/storage"
	"regain/storage/memory"
)

// shown postpones what an assertion's use is.
func shown(ctx context.Context, s storage.Store) error {
	return storage.Postpone(ctx, s, storage.Postponed{Change: storage.Creating(storage.Record{Kind: "jti", ID: "a"}), Again: func(_ context.Context, failed error) (storage.Change, error) {
		if errors.Is(failed, storage.ErrExists) {
			return storage.Change{}, problem.InvalidClient(errors.New("jti was used before"))
		}
		return storage.Change{}, failed
	}})
}

// Whatever a handler does after it authenticated the client, and however it answers: of an assertion that was used before
// nothing is answered but that, and of one that was not its use is durable before the first byte.
func TestNothingIsAnsweredBeforeItIsCommitted(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	for name, handle := range map[string]func(s storage.Store) web.Handler{
		"JSON": func(storage.Store) web.Handler {
			return func(c *gin.Context) error { c.JSON(http.StatusOK, gin.H{"told": 1}); return nil }
		},
		"data": func(storage.Store) web.Handler {
			return func(c *gin.Context) error { c.Data(http.StatusOK, "text/plain", []byte("told")); return nil }
		},
		"string": func(storage.Store) web.Handler {
			return func(c *gin.Context) error { _, err := c.Writer.WriteString("told"); return err }
		},
		"status": func(storage.Store) web.Handler {
			return func(c *gin.Context) error { c.Status(http.StatusOK); return nil }
		},
		"header": func(storage.Store) web.Handler {
			return func(c *gin.Context) error { c.Status(http.StatusOK); c.Writer.WriteHeaderNow(); return nil }
		},
		"flush": func(storage.Store) web.Handler {
			return func(c *gin.Context) error { c.Status(http.StatusOK); c.Writer.Flush(); return nil }
		},
		"an error": func(storage.Store) web.Handler {
			return func(*gin.Context) error { return problem.InvalidGrant("told") }
		},
		"a change": func(s storage.Store) web.Handler {
			return func(c *gin.Context) error {
				_, err := s.Increment(c, "secret", "n", time.Hour)
				c.JSON(http.StatusOK, gin.H{"told": err == nil}) // and passes over the error
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			below, err := memory.New(time.Now)
			if err != nil {
				t.Fatal(err)
			}
			s := storage.Guard(below)
			handler := handle(s)
			e := &Endpoints{}
			router := gin.New()
			router.ContextWithFallback = true
			router.POST("/token", e.forClient(func(c *gin.Context) error {
				if err := shown(c, s); err != nil {
					return err
				}
				return handler(c)
			}))
			for n := range 2 {
				answer := &watched{ResponseRecorder: httptest.NewRecorder(), s: below, t: t}
				router.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/token", nil))
				replayed := answer.Code == http.StatusUnauthorized && strings.Contains(answer.Body.String(), "invalid_client") && !strings.Contains(answer.Body.String(), "told") &&
					strings.Contains(answer.Header().Get("Content-Type"), "json") && answer.Header().Get("Content-Length") == ""
				if replayed != (n == 1) {
					t.Errorf("shown %d times: %d %v %s", n+1, answer.Code, answer.Header(), answer.Body)
				}
			}
			if count, err := below.Increment(t.Context(), "secret", "n", time.Hour); err != nil || count > 2 || name != "a change" && count > 1 {
				t.Errorf("counted %d, %v", count, err)
			}
		})
	}
}

// watched looks, when something is answered, whether the assertion is used up.
type watched struct {
	*httptest.ResponseRecorder
	s storage.Store
	t *testing.T
}

func (w *watched) look() {
	if _, err := w.s.Get(context.Background(), "jti", "a"); err != nil {
		w.t.Errorf("answered before the commit: %v", err)
	}
}

func (w *watched) WriteHeader(status int) { w.look(); w.ResponseRecorder.WriteHeader(status) }

func (w *watched) Write(b []byte) (int, error) { w.look(); return w.ResponseRecorder.Write(b) }

// A handler that panics has authenticated the client all the same; a store that is away is no verdict on the client.
func TestWhatIsCommittedWhenAHandlerFails(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	below, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	e := &Endpoints{}
	router := gin.New()
	router.ContextWithFallback = true
	router.POST("/panic", gin.CustomRecovery(func(c *gin.Context, _ any) { c.Status(http.StatusInternalServerError) }), e.forClient(func(c *gin.Context) error {
		if err := shown(c, storage.Guard(below)); err != nil {
			return err
		}
		panic("in the middle")
	}))
	router.POST("/outage", e.forClient(func(c *gin.Context) error {
		if err := shown(c, storage.Guard(away{below})); err != nil {
			return err
		}
		c.JSON(http.StatusOK, gin.H{"told": 1})
		return nil
	}))
	answer := httptest.NewRecorder()
	router.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/panic", nil))
	if _, err := below.Get(t.Context(), "jti", "a"); err != nil {
		t.Errorf("after a panic: %v", err)
	}
	answer = httptest.NewRecorder()
	router.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/outage", nil))
	if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), "temporarily_unavailable") || strings.Contains(answer.Body.String(), "told") {
		t.Errorf("in an outage: %d %s", answer.Code, answer.Body)
	}
}

type away struct{ storage.Store }

func (away) Create(context.Context, storage.Record) error { return errors.New("the store is away") }
