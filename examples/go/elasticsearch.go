package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/samyfodil/wazy/component"
)

const iface = "optimize:backup/elasticsearch@1.0.0"

// The cases of the enum method, in their order.
var methods = []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete}

// The cases of the variant transport-error, in their order.
const (
	denied uint32 = iota
	unreachable
	interrupted
	unreadable
)

// What a snapshot's name is made of, and no pattern.
var plain = regexp.MustCompile(`^[a-z0-9._+-]+$`)

// A deletion is answered when it is done, which can take minutes.
var client = http.Client{Timeout: 10 * time.Minute}

// elasticsearch is the one thing that a host gives to a policy.
type elasticsearch struct {
	url, repository string
	// What the call that is under way may do beside reading, with snapshots whose names start like this.
	method, prefix string
}

// enter says which operation is called next, and with what. Of a text that is no number nothing may be written.
func (e *elasticsearch) enter(operation string, arguments ...component.Value) {
	e.method = ""
	if len(arguments) == 0 {
		return
	}
	id := fmt.Sprint(arguments[0])
	if _, err := strconv.ParseUint(id, 10, 63); err == nil {
		writes := map[string]string{"create": http.MethodPut, "advance": http.MethodPut, "delete": http.MethodDelete}
		e.method, e.prefix = writes[operation], "camunda_optimize_"+id+"_"
	}
}

// grants is the least that a host checks: whatever the policy is, a list deletes nothing, and a DELETE only what it
// names.
func (e *elasticsearch) grants(method string, path []string) bool {
	if method == http.MethodGet {
		return true
	}
	if method != e.method || len(path) != 3 || path[0] != "_snapshot" || path[1] != e.repository {
		return false
	}
	return !slices.ContainsFunc(strings.Split(path[2], ","), func(name string) bool {
		return !strings.HasPrefix(name, e.prefix) || !plain.MatchString(name)
	})
}

// imports declares the functions of wit/elasticsearch.wit.
func (e *elasticsearch) imports() []component.Option {
	types := component.NewTypeTable()
	text := component.Prim("string")
	request := types.Record(
		"method", types.Enum("get", "put", "post", "delete"),
		"path", types.List(text),
		"query", types.List(types.Tuple(text, text)),
		"body", types.Option(text),
	)
	response := types.Record(
		"status", component.Prim("u16"),
		"retry-after", types.Option(component.Prim("u64")),
		"body", text,
	)
	failure := types.Variant(
		component.VariantCaseSpec{Name: "denied", Type: text},
		component.VariantCaseSpec{Name: "unreachable", Type: text},
		component.VariantCaseSpec{Name: "interrupted", Type: text},
		component.VariantCaseSpec{Name: "unreadable", Type: text},
	)
	send := types.Func([]component.TypeRef{request}, types.Result(response, failure))
	submit := types.Func([]component.TypeRef{request}, types.Result(types.Option(response), failure))
	// This host has all the time in the world, so it waits for the answer to submit, too. One that has not
	// answers none after a moment.
	return []component.Option{
		component.WithImportCustom(iface, "send", e.send, send, types.Resolver()),
		component.WithImportCustom(iface, "submit", e.send, submit, types.Resolver()),
	}
}

func (e *elasticsearch) send(ctx context.Context, arguments []component.Value) ([]component.Value, error) {
	parts := arguments[0].([]component.Value)
	method, path := methods[parts[0].(uint32)], texts(parts[1])
	if !e.grants(method, path) {
		return failed(denied, fmt.Sprintf("the call is not for %s /%s", method, strings.Join(path, "/")))
	}
	request, err := e.request(ctx, method, path, parts)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return noAnswer(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return failed(interrupted, err.Error())
	}
	if !utf8.Valid(body) {
		return failed(unreadable, "the answer is not text")
	}
	var retryAfter component.Value
	if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 32); err == nil {
		retryAfter = seconds * 1000
	}
	answer := []component.Value{uint32(response.StatusCode), retryAfter, string(body)}
	return []component.Value{component.ResultValue{Payload: answer}}, nil
}

// request takes path and query in parts: nothing in them can be mistaken for a part of the URL.
func (e *elasticsearch) request(
	ctx context.Context, method string, path []string, parts []component.Value,
) (*http.Request, error) {
	var escaped []string
	for _, segment := range path {
		escaped = append(escaped, url.PathEscape(segment))
	}
	query := url.Values{}
	for _, pair := range parts[2].([]component.Value) {
		pair := pair.([]component.Value)
		query.Add(pair[0].(string), pair[1].(string))
	}
	body, _ := parts[3].(string)
	target := strings.TrimRight(e.url, "/") + "/" + strings.Join(escaped, "/") + "?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err == nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, err
}

func texts(list component.Value) []string {
	var texts []string
	for _, text := range list.([]component.Value) {
		texts = append(texts, text.(string))
	}
	return texts
}

// noAnswer tells whether the engine may have acted on the request, which makes a difference to the policy.
func noAnswer(err error) ([]component.Value, error) {
	var fault *net.OpError
	if errors.As(err, &fault) && fault.Op == "dial" {
		return failed(unreachable, fault.Error())
	}
	return failed(interrupted, err.Error())
}

func failed(kind uint32, text string) ([]component.Value, error) {
	failure := component.VariantValue{Disc: kind, Payload: text}
	return []component.Value{component.ResultValue{IsErr: true, Payload: failure}}, nil
}
