package main

import "github.com/sirupsen/logrus"

func logf(what, value string) {
	logrus.WithField("value", value).Info(what)
}
