package main

import "go.uber.org/zap"

type logger struct{ l *zap.SugaredLogger }

func newLogger(verbose bool) (*logger, error) {
	c := zap.NewProductionConfig()
	if verbose {
		c = zap.NewDevelopmentConfig()
	}
	l, err := c.Build()
	if err != nil {
		return nil, err
	}
	return &logger{l.Sugar()}, nil
}

func (l *logger) info(what string, kv ...any)  { l.l.Infow(what, kv...) }
func (l *logger) error(what string, err error) { l.l.Errorw(what, "error", err) }
