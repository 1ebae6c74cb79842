package openid

import (
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/provider/problem"
)

const maxMetadata = 64 << 10 // bytes of a client's metadata

// register is RFC 7591 §3.
func (e *Endpoints) register(c *gin.Context) error {
	body, err := readMetadata(c)
	if err != nil {
		return err
	}
	info, err := e.deps.Registration.Register(c, bearer(c), body)
	if err != nil {
		return challenge(c, err)
	}
	c.JSON(http.StatusCreated, info)
	return nil
}

// registration is RFC 7592 §2.
func (e *Endpoints) registration(c *gin.Context) error {
	id := c.Param("client")
	var info any
	var err error
	switch c.Request.Method {
	case http.MethodGet:
		info, err = e.deps.Registration.Read(c, id, bearer(c))
	case http.MethodPut:
		var body []byte
		if body, err = readMetadata(c); err == nil {
			info, err = e.deps.Registration.Update(c, id, bearer(c), body)
		}
	default:
		if err = e.deps.Registration.Delete(c, id, bearer(c)); err == nil {
			c.Status(http.StatusNoContent)
			return nil
		}
	}
	if err != nil {
		return challenge(c, err)
	}
	c.JSON(http.StatusOK, info)
	return nil
}

func readMetadata(c *gin.Context) ([]byte, error) {
	media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, problem.New(http.StatusBadRequest, "invalid_client_metadata", "The body must be application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxMetadata))
	if err != nil {
		return nil, problem.New(http.StatusBadRequest, "invalid_client_metadata", "The body cannot be read, or is too large.").WithCause(err)
	}
	return body, nil
}

// bearer returns the token of the one Authorization header (RFC 6750 §2.1), or "".
func bearer(c *gin.Context) string {
	headers := c.Request.Header.Values("Authorization")
	if len(headers) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
