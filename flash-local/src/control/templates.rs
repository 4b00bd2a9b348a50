//! Templates that stand for themselves.

use std::sync::Arc;

use super::endpoints::template_changed;
use super::records::Template;
use super::{Control, ControlError, id};

impl Control {
    pub(super) async fn create_template(
        self: &Arc<Self>,
        template: Template,
    ) -> Result<Arc<Template>, ControlError> {
        self.write(move |state| {
            if state.templates.find(|other| other.name == template.name).is_some() {
                let problem = format!("a template {:?} is there already", template.name);
                return Err(ControlError::Conflict(problem));
            }
            Ok(state.templates.put(Template { id: id::object(), ..template }))
        })
        .await
    }

    pub(super) async fn update_template(
        self: &Arc<Self>,
        id: String,
        change: impl FnOnce(&mut Template) -> Result<(), ControlError> + Send + 'static,
    ) -> Result<Arc<Template>, ControlError> {
        let now = self.now();
        self.write(move |state| {
            let mut template = Template::clone(state.template(&id)?);
            change(&mut template)?;
            if state.templates.find(|other| other.id != id && other.name == template.name).is_some() {
                let problem = format!("a template {:?} is there already", template.name);
                return Err(ControlError::Conflict(problem));
            }
            Ok(template_changed(state, template, now))
        })
        .await
    }

    pub(super) async fn delete_template(self: &Arc<Self>, id: String) -> Result<(), ControlError> {
        self.write(move |state| {
            state.template(&id)?;
            if let Some(user) = state.endpoints.find(|endpoint| endpoint.template == id) {
                let problem = format!("the template is in use by endpoint {:?} ({})", user.name, user.id);
                return Err(ControlError::Conflict(problem));
            }
            state.templates.remove(&id);
            Ok(())
        })
        .await
    }
}
