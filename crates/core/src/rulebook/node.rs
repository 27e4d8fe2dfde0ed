//! A rule file as a tree of keys and values, each with its file and line, beside the typed form: faults
//! found in the typed form are told at the line where they were written.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::fault::RuleError;

/// A key with its value, or an element of a list.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// File it was written in. A value amended by a lower jurisdiction is of that one's file.
    pub(super) file: Arc<str>,
    /// Line, from 1.
    pub(super) line: u32,
    /// Where in the file's text the key or element begins.
    start: usize,
    /// Where in the file's text a scalar stands, with its quotes.
    pub(super) bytes: Range<usize>,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The tree of a file's content.
    pub(super) fn root(file: &str, content: Spanned<Shape>) -> Self {
        Self::new(&Arc::from(file), content.referenced, content)
    }

    fn new(file: &Arc<str>, begins: Location, shape: Spanned<Shape>) -> Self {
        let from = offset(shape.referenced);
        let length = shape.referenced.span().byte_len().unwrap_or_default();
        let child = |begins: Location, shape: Spanned<Shape>| Self::new(file, begins, shape);
        Self {
            file: Arc::clone(file),
            line: u32::try_from(begins.line()).unwrap_or(u32::MAX),
            start: offset(begins),
            bytes: from..from + usize::try_from(length).expect("a length in memory"),
            content: match shape.value {
                Shape::Scalar(text) => Content::Scalar(text),
                Shape::List(all) => Content::List(all.into_iter().map(|one| child(one.referenced, one)).collect()),
                Shape::Map(all) => {
                    let entry = |(key, value): (Spanned<String>, _)| (key.value, child(key.referenced, value));
                    Content::Map(all.into_iter().map(entry).collect())
                }
            },
        }
    }

    /// The value of a key; this node itself when there is none, so that a fault is told at the nearest
    /// place that was written.
    pub(super) fn at(&self, key: &str) -> &Self {
        self.get(key).unwrap_or(self)
    }

    /// An element of a list; this node itself when there is none.
    pub(super) fn item(&self, place: usize) -> &Self {
        match &self.content {
            Content::List(all) => all.get(place).unwrap_or(self),
            _ => self,
        }
    }

    /// The value of a key, if it was written.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(all) => all.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The number that a scalar is.
    pub(super) fn number(&self) -> Option<f64> {
        self.scalar()?.parse().ok()
    }

    /// Whether it is a scalar, written out in one line of the text.
    pub(super) fn is_single_value(&self, text: &str) -> bool {
        let written = self.scalar().and(text.get(self.bytes.clone()));
        written.is_some_and(|written| !written.is_empty() && !written.contains('\n'))
    }

    /// The value at a dotted path (`levels.A.below`); an element of a list goes by its id, name, code or level, one
    /// that has none by its place from 1.
    pub(super) fn find(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, step| match &node.content {
            Content::Map(_) => node.get(step),
            Content::List(all) => all.get(place_of(all, step)?),
            Content::Scalar(_) => None,
        })
    }

    /// As [`Self::find`], to be changed.
    pub(super) fn find_mut(&mut self, path: &str) -> Option<&mut Self> {
        path.split('.').try_fold(self, |node, step| match &mut node.content {
            Content::Map(all) => all.iter_mut().find(|(name, _)| name == step).map(|(_, node)| node),
            Content::List(all) => {
                let place = place_of(all, step)?;
                all.get_mut(place)
            }
            Content::Scalar(_) => None,
        })
    }

    fn name(&self) -> Option<&str> {
        ["id", "name", "code", "level"].iter().find_map(|key| self.get(key)?.scalar())
    }

    /// How people point at an element of a list: by its name when that is short, otherwise by its place.
    fn step(&self, place: usize) -> String {
        let name = self.name().filter(|name| name.is_ascii());
        name.map_or_else(|| format!("第{}项", place + 1), str::to_owned)
    }

    /// Whether it is a group without keys.
    pub(super) fn is_empty_group(&self) -> bool {
        matches!(&self.content, Content::Map(all) if all.is_empty())
    }

    /// The innermost node that begins at a place of the text, with the nodes around it, outermost first.
    pub(super) fn at_offset(&self, place: usize) -> Option<Vec<(String, &Self)>> {
        let children: Vec<(String, &Self)> = match &self.content {
            Content::Scalar(_) => Vec::new(),
            Content::List(all) => all.iter().enumerate().map(|(at, node)| (node.step(at), node)).collect(),
            Content::Map(all) => all.iter().map(|(key, node)| (key.clone(), node)).collect(),
        };
        children.into_iter().find_map(|(step, child)| {
            let inner = child.at_offset(place);
            let found = inner.or_else(|| (child.start == place || child.bytes.start == place).then(Vec::new));
            found.map(|mut path| {
                path.insert(0, (step, child));
                path
            })
        })
    }

    /// A fault at this node.
    pub(super) fn fault(&self, message: impl Into<String>) -> RuleError {
        RuleError { line: Some(self.line), ..RuleError::of_file(&self.file, message) }
    }
}

/// Where in a list a step of a path leads.
fn place_of(all: &[Node], step: &str) -> Option<usize> {
    let named = all.iter().position(|element| element.name() == Some(step));
    let is_nameless = |place: &usize| all.get(*place).is_some_and(|element| element.name().is_none());
    let nameless = || step.parse::<usize>().ok()?.checked_sub(1).filter(is_nameless);
    named.or_else(nameless)
}

fn offset(location: Location) -> usize {
    usize::try_from(location.span().byte_offset().unwrap_or_default()).expect("a place in memory")
}

/// What YAML can hold, with places. Types are not of interest here: the typed form knows them.
pub(super) enum Shape {
    Scalar(String),
    List(Vec<Spanned<Shape>>),
    Map(Vec<(Spanned<String>, Spanned<Shape>)>),
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShapeVisitor;

        impl<'de> Visitor<'de> for ShapeVisitor {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("YAML")
            }

            fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
                Ok(Shape::Scalar(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Shape, E> {
                Ok(Shape::Scalar(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Shape, E> {
                Ok(Shape::Scalar(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Shape, E> {
                Ok(Shape::Scalar(number.to_string()))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Shape, E> {
                Ok(Shape::Scalar(flag.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Shape, E> {
                Ok(Shape::Scalar(String::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
                let mut all = Vec::new();
                while let Some(element) = list.next_element()? {
                    all.push(element);
                }
                Ok(Shape::List(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(Shape::Map(all))
            }
        }

        deserializer.deserialize_any(ShapeVisitor)
    }
}
