#!/usr/bin/env bash
# Fetches the jars of Apache Kafka from Maven Central into .cache/kafka, for tests; does nothing where they are.
set -euo pipefail
cd "$(dirname "$0")/.."
libs=$PWD/.cache/kafka/libs
version=3.9.1
if [ -e "$libs/kafka_2.13-$version.jar" ]; then exit; fi
mkdir -p "$libs"
pom=$(mktemp -d)
trap 'rm -rf "$pom"' EXIT
cat >"$pom/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B -f "$pom/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs"
